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
  reg.owner = store; reg.epoch = epoch_; reg.migration = 0; reg.turned = false;
  reg.decided = (mOp == decide && windowsLeft > 0);
  ownerOf[epoch_] = store
}

inline compareAndSet() {
  if
  :: !casHolds -> reply = refused
  :: else ->
     reply = accepted;
     if
     :: mOp == claim -> reg.coordEpoch++; reg.migration = reg.coordEpoch; reg.decided = false
     :: mOp == takeOver -> reg.coordEpoch++
     :: mOp == turn ->
        windowsLeft--; reg.coordEpoch++; reg.migration = reg.coordEpoch; reg.turned = true; reg.decided = false
     :: mOp == decide ->
        outcome(givenUpNeverOwns, mMid != givenUpMid);
        decidedMid = mMid; give(1 - mStore, mEpoch + 1)
     :: mOp == abort ->
        inner(noAbortAfterDecide, mMid > decidedMid);
        if
        :: gone[1 - mStore] != no -> givenUpMid = mMid
        :: else
        fi;
        give(mStore, mEpoch + ABORT_BY)
     fi
  fi
}

#ifdef SABOTAGE_CLEANUP_OF_THE_SAME_EPOCH_ONLY         /* the register may be ahead of what this store was told */
#define GUARD_HOLDS (st[mStore].epoch == mEpoch)
#else
#define GUARD_HOLDS !olderEpoch(mStore, mEpoch)
#endif

/* ---- what a store does with a request -------------------------------------------------- */

/* mValue: of a way back. Its feed was opened before anybody wrote here; another one knows too little. */
#ifdef SABOTAGE_ARM_AFTER_ACTIVATE
#define WAY_BACK_NEEDS_ITS_FEED false
#else
#define WAY_BACK_NEEDS_ITS_FEED (mValue == 1)
#endif

inline onSource() {
  if
  :: mOp == openFeed ->
     if
     :: !acknowledges(mStore) && !isFenced(mStore) -> reply = refused
     :: (acknowledges(mStore) || isFenced(mStore)) && st[mStore].feedId == 0 && WAY_BACK_NEEDS_ITS_FEED -> reply = again
     :: (acknowledges(mStore) || isFenced(mStore)) && st[mStore].feedId == 0 && !WAY_BACK_NEEDS_ITS_FEED ->
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
     :: st[mStore].state == redirecting && GUARD_HOLDS ->
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

#ifdef SABOTAGE_PAGE_AT_ANY_POSITION
#define PAGE_TOO_OLD false
#else
#define PAGE_TOO_OLD (!st[mStore].copied && st[mStore].appliedPos != mPos)
#endif
#ifdef SABOTAGE_PAGE_TWICE
#define PAGE_REPEATED false
#else
#define PAGE_REPEATED st[mStore].copied
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
        st[mStore].state = staged; st[mStore].epoch = mEpoch; st[mStore].mid = mMid; st[mStore].stagedFeed = mFeed;
        if
        :: mValue == 1 -> st[mStore].staging = st[mStore].data; st[mStore].copied = true  /* it was the source */
        :: else
        fi
     :: else -> reply = refused                       /* discarded before */
     fi
  :: mOp == arm ->                                    /* records from its activation on */
     if
     :: st[mStore].state == staged && st[mStore].mid == mMid && st[mStore].feedId == 0 -> feeds++; st[mStore].feedId = feeds
     :: st[mStore].state == staged && st[mStore].mid == mMid && st[mStore].feedId != 0 -> skip
     :: else -> reply = again
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
  :: mOp == applyPage ->                              /* mPos: the feed was applied up to there */
     if
     :: st[mStore].state != staged || st[mStore].stagedFeed != mFeed -> reply = again
     :: st[mStore].state == staged && st[mStore].stagedFeed == mFeed && PAGE_REPEATED -> skip
     :: st[mStore].state == staged && st[mStore].stagedFeed == mFeed && PAGE_TOO_OLD -> reply = again
     :: else ->
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
#if WINDOWS
        st[mStore].feedBase = (st[mStore].feedId != 0 -> st[mStore].data : 0);
#endif
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
        emptyStaging(mStore); st[mStore].state = redirecting; st[mStore].epoch = mEpoch;
#if WINDOWS
        st[mStore].feedId = 0
#endif
     :: else
     fi;
     st[mStore].mid = (mMid > st[mStore].mid -> mMid : st[mStore].mid)
  fi
}

#define isCas(op) (op == claim || op == takeOver || op == decide || op == abort || op == turn)
#define isTargets(op) (op == prepare || op == apply || op == applyPage || op == flush || op == activate || op == discard || op == arm)

inline deliver() {
  if
  :: isCas(mOp) -> compareAndSet()
  :: !isCas(mOp) && gone[mStore] != no -> reply = refused
  :: !isCas(mOp) && gone[mStore] == no && fromOld(mStore, mCoord) -> reply = refused
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
