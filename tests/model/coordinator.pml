/* ---- the coordinator ------------------------------------------------------------------- */

#define X know.owner
#define Y (1 - know.owner)

/* What is still to do for a register without a migration, read off the two stores. */
#define toActivate(o, e) (st[o].state == staged)
#ifdef SABOTAGE_ABORT_SAME_EPOCH
#define toUnfence(o, e) (st[o].epoch < e || (st[o].epoch == e && isFenced(o)))
#else
#define toUnfence(o, e) (st[o].epoch < e)
#endif
#define toRedirect(o) (isFenced(1 - o) || acknowledges(1 - o))
/* What was given up is asked for nothing, unless it comes back. */
#define toDiscard(o, c) ((st[1 - o].state == staged || st[1 - o].mid < c) && gone[1 - o] == no)
#define toCleanUp(o) (st[1 - o].data != 0 && gone[1 - o] == no)
#ifdef SABOTAGE_CLEANUP_BEFORE_TURN
#define toTurn(o, decided_) ((decided_) && windowsLeft > 0 && !toCleanUp(o))
#else
#define toTurn(o, decided_) ((decided_) && windowsLeft > 0)
#endif
#define unsettled (reg.migration != 0 || toTurn(reg.owner, reg.decided) || toActivate(reg.owner, reg.epoch) || toUnfence(reg.owner, reg.epoch) || \
                   toRedirect(reg.owner) || toDiscard(reg.owner, reg.coordEpoch) || toCleanUp(reg.owner))

inline forget(to) {
  know.owner = 0; know.epoch = 0; know.migration = 0; know.coordEpoch = 0; know.turned = false; know.decided = false;
  part = 0; feed = 0; low = 0; high = 0; page = 0; at = to; busy[id] = false
}

inline request(op, store, epoch_, mid_) {
  mOp = op; mStore = store; mEpoch = epoch_; mCoord = know.coordEpoch; mMid = mid_; mFeed = 0; mPos = 0; mValue = 0
}

inline withFeed(pos_, value_) { mFeed = feed; mPos = pos_; mValue = value_ }

inline nextEvent() {
  request(apply, Y, 0, know.migration);
  withFeed(st[Y].appliedPos + 1, st[X].feedBase + st[Y].appliedPos + 1)
}

#define positionLost (st[X].feedId != feed)
#define stagingLost (st[Y].stagedFeed != feed)

#ifdef SABOTAGE_FEED_AFTER_SCAN
#define FEED_PART (part == 1)
#else
#define FEED_PART true
#endif
#if defined(SABOTAGE_ACTIVATE_BEFORE_DECIDE) || defined(SABOTAGE_CLEANUP_BEFORE_DECIDE)
#define DECIDE_PART (part == 1)
#else
#define DECIDE_PART true
#endif

/* The request of the step; mOp = standby: none, the step is only a look at the stores. */
inline build() {
  mOp = standby;
  if
  :: at == claim || at == takeOver || at == abort || at == turn || (at == decide && DECIDE_PART) -> request(at, X, know.epoch, know.migration)
#ifdef SABOTAGE_FEED_AFTER_SCAN
  :: at == openFeed && part == 0
#endif
#ifdef SABOTAGE_ACTIVATE_BEFORE_DECIDE
  :: at == decide && part == 0 -> request(activate, Y, know.epoch + 1, 0)
#endif
#ifdef SABOTAGE_CLEANUP_BEFORE_DECIDE
  :: at == decide && part == 0 -> request(cleanUp, X, know.epoch, 0)
#endif
  :: at == openFeed && FEED_PART -> request(at, X, know.epoch, know.migration); mValue = know.turned
  :: at == prepare -> request(prepare, Y, know.epoch, know.migration); withFeed(0, know.turned)
  :: at == arm -> request(arm, Y, know.epoch, know.migration)
  :: at == copy && part == 2 && !positionLost && !stagingLost ->
     if
     :: st[Y].appliedPos < high -> nextEvent()
     :: else ->
        request(applyPage, Y, 0, know.migration);
        if
        :: low == high -> withFeed(high, page)
        :: else -> withFeed(high, NONE)               /* the key is in the feed from low to high */
        fi
     fi
  :: ((at == catchUp && st[Y].appliedPos < head(X)) || (at == drain && st[Y].appliedPos < high)) && !positionLost && !stagingLost ->
     nextEvent()
  :: at == drain && !stagingLost && st[Y].appliedPos >= high -> request(flush, Y, 0, know.migration); withFeed(high, 0)
  :: at == fence || at == fenceReads -> request(at, X, know.epoch + 1, know.migration)
  :: at == activate || at == unfence -> request(at, X, know.epoch, 0)
  :: at == redirect -> request(at, Y, know.epoch, 0)
  :: at == discard -> request(at, Y, know.epoch, know.coordEpoch)
  :: at == cleanUp && part == 1 -> request(at, Y, know.epoch, 0)
  :: else
  fi
}

inline go(to) { at = to; part = 0 }

/* Where to go on, from the register as known and the state of the stores; nothing else is needed. */
inline carryOn() {
  low = 0; high = 0; page = 0;
  if
  :: toActivate(X, know.epoch) -> go(activate)
  :: else ->
     if
     :: toUnfence(X, know.epoch) -> go(unfence)
     :: else ->
        if
        :: know.migration != 0 -> go(openFeed)
        :: else ->
           feed = 0;
           if
           :: toRedirect(X) -> go(redirect)
           :: else ->
              if
              :: toTurn(X, know.decided) -> go(turn)
              :: else ->
                 if
                 :: toDiscard(X, know.coordEpoch) -> go(discard)
                 :: else ->
                    if
                    :: toCleanUp(X) -> go(cleanUp)
                    :: else -> forget(standby)
                    fi
                 fi
              fi
           fi
        fi
     fi
  fi
}

inline goFence() {
#ifdef SABOTAGE_SKIP_FENCE
  high = head(X); go(drain)
#else
  if
#ifndef SABOTAGE_ARM_AFTER_ACTIVATE
  :: windowsLeft > 0 && !know.turned -> go(arm)
  :: !(windowsLeft > 0 && !know.turned) -> go(fence)
#else
  :: go(fence)
#endif
  fi
#endif
}

/* After a step that asked nobody. */
inline look() {
  if
  :: at == copy && part == 0 && !positionLost -> low = head(X); page = st[X].data; part = 1
  :: at == copy && part == 1 && !positionLost -> high = head(X); part = 2
  :: (at == copy && (positionLost || stagingLost)) || at == drain -> low = 0; high = 0; page = 0; go(openFeed)
  :: at == catchUp && !positionLost && !stagingLost -> goFence()
  :: at == catchUp && (positionLost || stagingLost) -> go(openFeed)
  :: at == cleanUp && part == 0 ->
     if
     :: reg.owner == know.owner && reg.epoch == know.epoch && reg.migration == 0 -> part = 1
     :: else -> go(lookUp)
     fi
  :: at == lookUp ->
     if
     :: reg.coordEpoch == know.coordEpoch ->
        know.owner = reg.owner; know.epoch = reg.epoch; know.migration = reg.migration;
        know.turned = reg.turned; know.decided = reg.decided; carryOn()
     :: else -> forget(standby)                       /* another one has taken over */
     fi
#ifdef SABOTAGE_FEED_AFTER_SCAN
  :: at == openFeed && part == 0 -> page = st[X].data; part = 1
#endif
  fi
}

inline answered() {
  if
  :: reply == refused && (at == claim || at == takeOver) -> forget(standby)
  :: reply == refused && at != claim && at != takeOver -> go(lookUp)
  :: reply == again && at != openFeed -> low = 0; high = 0; page = 0; go(openFeed)
  :: reply == again && at == openFeed -> go(abort)      /* nobody knows what the other store lacks */
  :: reply == accepted && (at == claim || at == takeOver) ->
     know.coordEpoch++;
     if
     :: at == claim -> know.migration = know.coordEpoch; know.decided = false
     :: else
     fi;
     carryOn()
  :: reply == accepted && at == turn ->
     know.coordEpoch++; know.migration = know.coordEpoch; know.turned = true; know.decided = false; carryOn()
  :: reply == accepted && at == arm -> go(fence)
  :: reply == accepted && at == openFeed -> feed = st[X].feedId; go(prepare)
  :: reply == accepted && at == prepare ->
     if
     :: st[Y].copied -> go(catchUp)
     :: else -> go(copy)
#ifdef SABOTAGE_FEED_AFTER_SCAN
        part = 2
#endif
     fi
  :: reply == accepted && mOp == applyPage -> low = 0; high = 0; page = 0; go(catchUp)
  :: reply == accepted && mOp == apply
  :: reply == accepted && at == fence ->
     high = head(X);
     if
     :: positionLost -> high = 0; go(openFeed)
#ifdef SABOTAGE_SKIP_DRAIN
     :: else -> go(fenceReads)
#else
     :: else -> go(drain)
#endif
     fi
  :: reply == accepted && mOp == flush ->
     high = 0;
#if defined(SABOTAGE_SKIP_FENCE_READS) || defined(SABOTAGE_SKIP_FENCE)
     go(decide)
#else
     go(fenceReads)
#endif
  :: reply == accepted && at == fenceReads -> high = 0; go(decide)
  :: reply == accepted && at == decide ->
     if
     :: !DECIDE_PART -> part = 1
     :: else ->
        know.owner = 1 - know.owner; know.epoch++; know.migration = 0; know.turned = false; know.decided = reg.decided;
        carryOn()
     fi
  :: reply == accepted && at == abort ->
     know.epoch = know.epoch + ABORT_BY; know.migration = 0; know.turned = false; carryOn()
  :: reply == accepted && (at == activate || at == unfence || at == redirect || at == discard || at == cleanUp) -> carryOn()
  fi
}

/* The register's answer does not arrive; whether the compareAndSet took effect is not known. */
inline unknown() {
  if
  :: at == claim || at == takeOver -> forget(standby)    /* a later one must raise coordEpoch again */
#ifdef SABOTAGE_ABORT_AFTER_UNKNOWN
  :: at == decide -> know.epoch = know.epoch + ABORT_BY; know.migration = 0; go(unfence)
#endif
  :: else -> go(lookUp)
  fi
}

/* A store that is away for good: whoever says so gives it up, and only the register can know of it. */
inline giveUp() {
#ifdef SABOTAGE_GIVE_UP_WITHOUT_CAS
  givenUpMid = know.migration; forget(standby)
#else
  if
  :: know.migration != 0 -> low = 0; high = 0; page = 0; go(abort)
  :: else -> go(lookUp)
  fi
#endif
}

/* Who owns the range cannot be given up: it waits until that store is back. */
#define waitsForOwner (gone[X] != no && (at == activate || at == unfence))

#define beforeDecide (know.migration != 0 && at != claim && at != takeOver && at != abort && at != lookUp)

proctype coordinator(byte id) {
  mtype:step at = standby;
  Ownership know;
  byte part, feed, low, high, page;
end:
  do
  :: d_step { at == standby && claimsLeft > 0 && reg.migration == 0 && (id == 0 || claimsLeft < MIGRATIONS) ->
       claimsLeft--; busy[id] = true; at = claim;
       know.owner = reg.owner; know.epoch = reg.epoch; know.coordEpoch = reg.coordEpoch; know.decided = reg.decided }
  :: d_step { at == standby && unsettled && !busy[1 - id] ->
       busy[id] = true; at = takeOver;
       know.owner = reg.owner; know.epoch = reg.epoch; know.migration = reg.migration; know.coordEpoch = reg.coordEpoch;
       know.turned = reg.turned; know.decided = reg.decided }
  :: d_step { at == standby && busy[1 - id] && suspicionsLeft > 0 ->
       suspicionsLeft--; busy[id] = true; at = takeOver;
       know.owner = reg.owner; know.epoch = reg.epoch; know.migration = reg.migration; know.coordEpoch = reg.coordEpoch;
       know.turned = reg.turned; know.decided = reg.decided }
  :: d_step { at != standby && at != dead && !waitsForOwner ->
       build();
       if
       :: mOp == standby -> look()
       :: mOp != standby && !isCas(mOp) && gone[mStore] != no -> giveUp()
       :: mOp != standby && (isCas(mOp) || gone[mStore] == no) -> deliver(); answered()
       fi }
  :: d_step { lateLeft > 0 && at != standby && at != dead ->
       build();
       if
       :: mOp != standby -> lateLeft--; late!mOp, mStore, mEpoch, mCoord, mMid, mFeed, mPos, mValue
       :: else -> look()
       fi }
  :: d_step { lostLeft > 0 && isCas(at) -> lostLeft--; build(); deliver(); unknown() }
  :: d_step { beforeDecide && at != standby -> low = 0; high = 0; page = 0; go(abort) }
  :: d_step { at == catchUp -> goFence() }            /* it need not be level before the fence */
#ifdef SABOTAGE_CLOSE_WITHOUT_CAS
  :: d_step { at == catchUp && know.turned -> know.migration = 0; know.turned = false; go(discard) }
#endif
#ifdef SABOTAGE_DRAIN_NOT_DURABLE
  :: d_step { at == drain && st[Y].appliedPos >= high -> high = 0; go(fenceReads) }
#endif
  :: d_step { crashesLeft > 0 && at != standby && at != dead -> crashesLeft--; forget(standby) }
  :: d_step { crashesLeft > 0 && deathsLeft > 0 && at != standby && at != dead -> crashesLeft--; deathsLeft--; forget(dead) }
  od
}
