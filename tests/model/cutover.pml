/* The decision part of the cutover, for spin. README.md says how to read it, what it leaves out
 * and what was counted. A run ends when every budget below is used up: then nothing moves any
 * more, and the monitor looks at what is left. */

#ifndef MIGRATIONS
#define MIGRATIONS 1          /* claims; the second one goes wherever the first one left the range */
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef COORDINATOR_CRASHES
#define COORDINATOR_CRASHES 1 /* of either coordinator, together */
#endif
#ifndef DEATHS
#define DEATHS 1              /* crashes (of those above) after which a coordinator never returns */
#endif
#ifndef STORE_CRASHES
#define STORE_CRASHES 1       /* of either store, together */
#endif
#ifndef LOST
#define LOST 1                /* answers of the register that do not arrive */
#endif
#ifndef LATE
#define LATE 1                /* requests that the network repeats at any later time */
#endif
#ifndef SUSPICIONS
#define SUSPICIONS 1          /* take-overs from a coordinator that is alive and goes on */
#endif

#define NONE 255
#define EPOCHS 12

mtype:state = { serving, fenced, readFenced, staged, activated, redirecting }
mtype:step = { standby, dead, lookUp, settle, claim, takeOver, openFeed, prepare, copy, catchUp,
               fence, drain, fenceReads, decide, abort, activate, unfence, redirect, discard, cleanUp,
               apply, applyPage, flush }
mtype:reply = { accepted, refused, again }
mtype:answer = { OK, RETRY, MOVED }

typedef Ownership { byte owner; byte epoch; byte migration; byte coordEpoch }

/* All of it durable, but for staging that was not flushed and, if the crash says so, the feed. */
typedef Store {
  mtype:state state;
  byte epoch;        /* highest this store was told */
  byte coordEpoch;   /* highest this store has obeyed */
  byte data;         /* number of the last write that took effect here; 0: none */
  byte feedId;       /* 0: no feed is open */
  byte feedBase;     /* `data` when it was opened: event p of the feed is write feedBase + p */
  byte mid;          /* staged here, or the highest that was discarded */
  byte stagedFeed;   /* the feed that appliedPos counts in; 0: staging lost or never begun */
  byte staging;
  byte appliedPos;
  bool copied;
  bool durable
}

Ownership reg;
Store st[2];
byte feeds;                    /* opened so far: makes feed ids unique */

byte claimsLeft = MIGRATIONS;
byte lostLeft = LOST;
byte lateLeft = LATE;
byte suspicionsLeft = SUSPICIONS;
byte deathsLeft = DEATHS;
bool busy[2];                  /* coordinator believes that it holds the range */
byte n = 1;                    /* number of the client's next write */
byte crashesLeft = COORDINATOR_CRASHES;
byte storeCrashesLeft = STORE_CRASHES;

/* A repeated request, and its fields while it is carried out (never across steps). */
chan late = [1] of { mtype:step, byte, byte, byte, byte, byte, byte, byte };
hidden mtype:step mOp;
hidden byte mStore;            /* or the owner that a compareAndSet expects */
hidden byte mEpoch;
hidden byte mCoord;
hidden byte mMid;
hidden byte mFeed;
hidden byte mPos;
hidden byte mValue;
hidden mtype:reply reply;
hidden byte i;

/* Seen by the properties only. */
byte lastAcked;
byte lastAckedEpoch;
byte ownerOf[EPOCHS];          /* which store the register gave an epoch to */
byte decidedMid;               /* the highest */

#ifdef OUTCOMES_ONLY           /* only what a client or an operator would notice */
#define inner(name, p) skip
#else
#define inner(name, p) assert(p)
#endif
#define outcome(name, p) assert(p)

#define acknowledges(s) (st[s].state == serving || st[s].state == activated)
#define isFenced(s) (st[s].state == fenced || st[s].state == readFenced)
#define answersReads(s) (acknowledges(s) || st[s].state == fenced)
#define head(s) (st[s].data - st[s].feedBase)

#ifdef SABOTAGE_ACCEPT_OLD_EPOCH
#define fromOld(s, coord) (false)
#define olderEpoch(s, epoch_) (false)
#else
#ifdef SABOTAGE_LATE_CLEANUP_OF_OLD_MIGRATION
#define fromOld(s, coord) ((coord) < st[s].coordEpoch && mOp != cleanUp)
#else
#define fromOld(s, coord) ((coord) < st[s].coordEpoch)
#endif
#define olderEpoch(s, epoch_) ((epoch_) < st[s].epoch)
#endif

/* Whoever answers has every acknowledged write; both stores, after every step. */
inline checkReads() {
  outcome(noLostAck, !acknowledges(0) || st[0].data >= lastAcked);
  outcome(noLostAck, !acknowledges(1) || st[1].data >= lastAcked);
  outcome(noStaleRead, !answersReads(0) || st[0].data >= lastAcked);
  outcome(noStaleRead, !answersReads(1) || st[1].data >= lastAcked)
}

inline obey(s) { st[s].coordEpoch = (mCoord > st[s].coordEpoch -> mCoord : st[s].coordEpoch) }

inline emptyStaging(s) {
  st[s].staging = 0; st[s].stagedFeed = 0; st[s].appliedPos = 0; st[s].copied = false; st[s].durable = false
}

/* ---- the register ---------------------------------------------------------------------- */

#ifdef SABOTAGE_DECIDE_WITHOUT_CAS
#define casHolds (mOp == decide || expected)
#else
#define casHolds expected
#endif
#define expected (reg.owner == mStore && reg.epoch == mEpoch && reg.migration == mMid && reg.coordEpoch == mCoord)

#ifdef SABOTAGE_ABORT_SAME_EPOCH                       /* its stores take e+1 for new, or nothing would move */
#define ABORT_BY 1
#define NEW_TO_THE_STORE (st[mStore].epoch < mEpoch || (st[mStore].epoch == mEpoch && isFenced(mStore)))
#else
#define ABORT_BY 2
#define NEW_TO_THE_STORE (st[mStore].epoch < mEpoch)
#endif

inline give(store, epoch_) {
  inner(epochsOnlyGrow, (epoch_) > reg.epoch);
  reg.owner = store; reg.epoch = epoch_; reg.migration = 0;
  ownerOf[epoch_] = store
}

inline compareAndSet() {
  if
  :: !casHolds -> reply = refused
  :: else ->
     reply = accepted;
     if
     :: mOp == claim -> reg.coordEpoch++; reg.migration = reg.coordEpoch
     :: mOp == takeOver -> reg.coordEpoch++
     :: mOp == decide -> decidedMid = mMid; give(1 - mStore, mEpoch + 1)
     :: mOp == abort ->
        inner(noAbortAfterDecide, mMid > decidedMid);
        give(mStore, mEpoch + ABORT_BY)
     fi
  fi
}

/* ---- what a store does with a request -------------------------------------------------- */

inline onSource() {
  if
  :: mOp == openFeed ->
     if
     :: !acknowledges(mStore) && !isFenced(mStore) -> reply = refused
     :: (acknowledges(mStore) || isFenced(mStore)) && st[mStore].feedId == 0 ->
        feeds++; st[mStore].feedId = feeds; st[mStore].feedBase = st[mStore].data
     :: else                                          /* open already: the same feed again */
     fi
  :: mOp == fence ->
     if
     :: olderEpoch(mStore, mEpoch) -> reply = refused
     :: else ->
        inner(noFenceOutlivesItsMigration, !acknowledges(mStore) || st[mStore].epoch < mEpoch);
        st[mStore].epoch = mEpoch;
        if
        :: acknowledges(mStore) -> st[mStore].state = fenced
        :: else                                       /* repeated: readFenced stays so */
        fi
     fi
  :: mOp == fenceReads ->
     if
     :: olderEpoch(mStore, mEpoch) || !isFenced(mStore) -> reply = refused
     :: else -> st[mStore].state = readFenced
     fi
  :: mOp == unfence ->
     if
     :: NEW_TO_THE_STORE ->
        inner(noUnfenceUnlessRegisterSaysSo, reg.owner == mStore && ownerOf[mEpoch] == mStore);
        st[mStore].epoch = mEpoch; st[mStore].feedId = 0; st[mStore].feedBase = 0;
        if
        :: isFenced(mStore) -> st[mStore].state = serving
        :: else
        fi
     :: else -> reply = refused
     fi
  :: mOp == redirect ->
     if
     :: !olderEpoch(mStore, mEpoch) && (isFenced(mStore) || (acknowledges(mStore) && st[mStore].epoch < mEpoch)) ->
        st[mStore].state = redirecting; st[mStore].epoch = mEpoch; st[mStore].feedId = 0; st[mStore].feedBase = 0
     :: else -> reply = refused
     fi
  :: mOp == cleanUp ->                                /* deleteRange(range, guardEpoch) */
     if
#if defined(SABOTAGE_LATE_CLEANUP_OF_OLD_MIGRATION) || defined(SABOTAGE_CLEANUP_BEFORE_DECIDE)
     :: true ->
#else
     :: st[mStore].state == redirecting && !olderEpoch(mStore, mEpoch) ->
#endif
        /* nor what a live migration has staged */
        inner(cleanUpNeverDeletesOwned, reg.owner != mStore && !(reg.migration != 0 && reg.migration == st[mStore].mid));
        st[mStore].data = 0; st[mStore].staging = 0
#if !defined(SABOTAGE_LATE_CLEANUP_OF_OLD_MIGRATION) && !defined(SABOTAGE_CLEANUP_BEFORE_DECIDE)
     :: else -> reply = refused
#endif
     fi
  fi
}

/* T answers the drain from its own state, all in one answer: what it said earlier may be lost. */
#ifdef SABOTAGE_DRAIN_BY_OLD_ANSWERS
#define STAGED_UP_TO_FENCE true
#else
#define STAGED_UP_TO_FENCE (st[mStore].copied && st[mStore].appliedPos >= mPos)
#endif

inline onTarget() {
  if
  :: mOp == prepare ->
     if
     :: olderEpoch(mStore, mEpoch) || acknowledges(mStore) -> reply = refused
     :: st[mStore].state == staged && st[mStore].mid == mMid && st[mStore].stagedFeed == mFeed -> skip
     :: st[mStore].state == staged && st[mStore].mid == mMid && st[mStore].stagedFeed > mFeed -> reply = refused
     :: (st[mStore].state == staged && st[mStore].mid == mMid && st[mStore].stagedFeed < mFeed) || st[mStore].mid < mMid ->
        emptyStaging(mStore);
        st[mStore].state = staged; st[mStore].epoch = mEpoch; st[mStore].mid = mMid; st[mStore].stagedFeed = mFeed
     :: else -> reply = refused                       /* discarded before */
     fi
  :: mOp == apply ->
     if
#ifdef SABOTAGE_ACCEPT_OLD_EPOCH
     :: st[mStore].state == activated -> st[mStore].data = mValue
#endif
     :: st[mStore].state == staged && st[mStore].stagedFeed == mFeed && mPos == st[mStore].appliedPos + 1 ->
        st[mStore].staging = mValue; st[mStore].appliedPos = mPos; st[mStore].durable = false
     :: st[mStore].state == staged && st[mStore].stagedFeed == mFeed && mPos <= st[mStore].appliedPos -> skip
     :: else -> reply = again
     fi
  :: mOp == applyPage ->
     if
     :: st[mStore].state != staged || st[mStore].stagedFeed != mFeed -> reply = again
#ifdef SABOTAGE_PAGE_TWICE
     :: else ->
#else
     :: st[mStore].state == staged && st[mStore].stagedFeed == mFeed && st[mStore].copied -> skip
     :: else ->
#endif
        st[mStore].copied = true; st[mStore].durable = false;
        if
        :: mValue != NONE -> st[mStore].staging = mValue
        :: else
        fi
     fi
  :: mOp == flush ->
     if
     :: st[mStore].state == staged && st[mStore].stagedFeed == mFeed && STAGED_UP_TO_FENCE -> st[mStore].durable = true
     :: else -> reply = again
     fi
  :: mOp == activate ->
     if
     :: st[mStore].state == staged && st[mStore].epoch < mEpoch ->
        inner(stagingInvisibleUntilDecided, ownerOf[mEpoch] == mStore);
        st[mStore].data = st[mStore].staging; emptyStaging(mStore);
        st[mStore].state = activated; st[mStore].epoch = mEpoch
#ifdef SABOTAGE_ACCEPT_OLD_EPOCH
     :: isFenced(mStore) || st[mStore].state == redirecting -> st[mStore].state = activated
#endif
     :: else -> reply = refused
     fi
  :: mOp == discard ->                                /* everything staged up to this coordEpoch */
     if
     :: st[mStore].state == staged && st[mStore].mid <= mMid && st[mStore].epoch <= mEpoch ->
        inner(discardNeverDeletesOwned, st[mStore].mid != decidedMid);
        emptyStaging(mStore); st[mStore].state = redirecting; st[mStore].epoch = mEpoch
     :: else
     fi;
     st[mStore].mid = (mMid > st[mStore].mid -> mMid : st[mStore].mid)
  fi
}

#define isCas(op) (op == claim || op == takeOver || op == decide || op == abort)
#define isTargets(op) (op == prepare || op == apply || op == applyPage || op == flush || op == activate || op == discard)

inline deliver() {
  if
  :: isCas(mOp) -> compareAndSet()
  :: !isCas(mOp) && fromOld(mStore, mCoord) -> reply = refused
  :: else ->
     reply = accepted; obey(mStore);
     if
     :: isTargets(mOp) -> onTarget()
     :: else -> onSource()
     fi
  fi;
  printf("%d: %e store %d, epoch %d, coordEpoch %d, mid %d: %e\n", _pid, mOp, mStore, mEpoch, mCoord, mMid, reply);
  checkReads()
}

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
#define toDiscard(o, c) (st[1 - o].state == staged || st[1 - o].mid < c)
#define toCleanUp(o) (st[1 - o].data != 0)
#define unsettled (reg.migration != 0 || toActivate(reg.owner, reg.epoch) || toUnfence(reg.owner, reg.epoch) || \
                   toRedirect(reg.owner) || toDiscard(reg.owner, reg.coordEpoch) || toCleanUp(reg.owner))

inline forget(to) {
  know.owner = 0; know.epoch = 0; know.migration = 0; know.coordEpoch = 0;
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
  :: at == claim || at == takeOver || at == abort || (at == decide && DECIDE_PART) -> request(at, X, know.epoch, know.migration)
#ifdef SABOTAGE_FEED_AFTER_SCAN
  :: at == openFeed && part == 0
#endif
#ifdef SABOTAGE_ACTIVATE_BEFORE_DECIDE
  :: at == decide && part == 0 -> request(activate, Y, know.epoch + 1, 0)
#endif
#ifdef SABOTAGE_CLEANUP_BEFORE_DECIDE
  :: at == decide && part == 0 -> request(cleanUp, X, know.epoch, 0)
#endif
  :: at == openFeed && FEED_PART -> request(at, X, know.epoch, know.migration)
  :: at == prepare -> request(prepare, Y, know.epoch, know.migration); withFeed(0, 0)
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
}

inline goFence() {
#ifdef SABOTAGE_SKIP_FENCE
  high = head(X); go(drain)
#else
  go(fence)
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
        know.owner = reg.owner; know.epoch = reg.epoch; know.migration = reg.migration; carryOn()
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
  :: reply == again -> low = 0; high = 0; page = 0; go(openFeed)
  :: reply == accepted && (at == claim || at == takeOver) ->
     know.coordEpoch++;
     if
     :: at == claim -> know.migration = know.coordEpoch
     :: else
     fi;
     carryOn()
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
     :: else -> know.owner = 1 - know.owner; know.epoch++; know.migration = 0; carryOn()
     fi
  :: reply == accepted && at == abort -> know.epoch = know.epoch + ABORT_BY; know.migration = 0; carryOn()
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

#define beforeDecide (know.migration != 0 && at != claim && at != takeOver && at != abort && at != lookUp)

proctype coordinator(byte id) {
  mtype:step at = standby;
  Ownership know;
  byte part, feed, low, high, page;
end:
  do
  :: d_step { at == standby && claimsLeft > 0 && reg.migration == 0 && (id == 0 || claimsLeft < MIGRATIONS) ->
       claimsLeft--; busy[id] = true; at = claim;
       know.owner = reg.owner; know.epoch = reg.epoch; know.coordEpoch = reg.coordEpoch }
  :: d_step { at == standby && unsettled && !busy[1 - id] ->
       busy[id] = true; at = takeOver;
       know.owner = reg.owner; know.epoch = reg.epoch; know.migration = reg.migration; know.coordEpoch = reg.coordEpoch }
  :: d_step { at == standby && busy[1 - id] && suspicionsLeft > 0 ->
       suspicionsLeft--; busy[id] = true; at = takeOver;
       know.owner = reg.owner; know.epoch = reg.epoch; know.migration = reg.migration; know.coordEpoch = reg.coordEpoch }
  :: d_step { at != standby && at != dead ->
       build();
       if
       :: mOp == standby -> look()
       :: else -> deliver(); answered()
       fi }
  :: d_step { lateLeft > 0 && at != standby && at != dead ->
       build();
       if
       :: mOp != standby -> lateLeft--; late!mOp, mStore, mEpoch, mCoord, mMid, mFeed, mPos, mValue
       :: else
       fi }
  :: d_step { lostLeft > 0 && isCas(at) -> lostLeft--; build(); deliver(); unknown() }
  :: d_step { beforeDecide && at != standby -> low = 0; high = 0; page = 0; go(abort) }
  :: d_step { at == catchUp -> goFence() }            /* it need not be level before the fence */
#ifdef SABOTAGE_DRAIN_NOT_DURABLE
  :: d_step { at == drain && st[Y].appliedPos >= high -> high = 0; go(fenceReads) }
#endif
  :: d_step { crashesLeft > 0 && at != standby && at != dead -> crashesLeft--; forget(standby) }
  :: d_step { crashesLeft > 0 && deathsLeft > 0 && at != standby && at != dead -> crashesLeft--; deathsLeft--; forget(dead) }
  od
}

proctype network() {
end:
  do
  :: d_step { late?mOp, mStore, mEpoch, mCoord, mMid, mFeed, mPos, mValue -> deliver() }
  od
}

/* One crash and the restart after it. What a crash would not change is left out. */
proctype crashes(byte s) {
end:
  do
  :: d_step { storeCrashesLeft > 0 && st[s].feedId != 0 -> storeCrashesLeft--; st[s].feedId = 0; st[s].feedBase = 0 }
  :: d_step { storeCrashesLeft > 0 && st[s].state == staged && st[s].stagedFeed != 0 && !st[s].durable -> storeCrashesLeft--; emptyStaging(s) }
#ifdef SABOTAGE_VOLATILE_FENCE
  :: d_step { storeCrashesLeft > 0 && isFenced(s) -> storeCrashesLeft--; st[s].state = serving; st[s].epoch-- }
#endif
#ifdef SABOTAGE_UNFENCE_BY_TIMER
  :: d_step { isFenced(s) && st[s].epoch > 1 -> inner(noUnfenceUnlessRegisterSaysSo, reg.owner == s && ownerOf[st[s].epoch] == s); st[s].state = serving; st[s].epoch-- }
#endif
  od
}

/* Stands for many clients, each with its own routing cache: a write may reach either store. */
#define answer(s) (acknowledges(s) -> OK : (st[s].state == redirecting -> MOVED : RETRY))

inline write(s) {
  st[s].data = n;
  if
  :: acked ->
     outcome(singleWriter, ownerOf[st[s].epoch] == s);
     outcome(epochsOnlyGrow, st[s].epoch >= lastAckedEpoch);
     lastAcked = n; lastAckedEpoch = st[s].epoch
  :: else                                             /* took effect; the client never hears of it */
  fi;
  n++; checkReads()
}

proctype client() {
  bool acked;
end:
  do
  :: atomic { n <= WRITES && answer(0) == OK -> if :: acked = true :: acked = false fi; d_step { write(0); acked = false } }
  :: atomic { n <= WRITES && answer(1) == OK -> if :: acked = true :: acked = false fi; d_step { write(1); acked = false } }
  od
}

/* Nothing can move any more: all crashes, losses and delays are over. */
active proctype monitor() {
  d_step {
    reg.owner = 0; reg.epoch = 1; ownerOf[1] = 0; st[0].state = serving; st[0].epoch = 1; st[1].state = redirecting;
    i = 2;
    do
    :: i < EPOCHS -> ownerOf[i] = NONE; i++
    :: else -> break
    od
  }
  atomic { run coordinator(0); run coordinator(1); run network(); run crashes(0); run crashes(1); run client() }
  timeout ->
  outcome(servedInTheEnd, acknowledges(reg.owner) && answer(1 - reg.owner) == MOVED && n > WRITES);
  outcome(noLostAck, st[reg.owner].data >= lastAcked);
  inner(nothingLeftOver, !unsettled && st[0].staging == 0 && st[1].staging == 0)
}
