/* The decision part of the cutover, for spin. README.md says how to read it, what it leaves out
 * and what was counted. A run ends when every budget below is used up: then nothing moves any
 * more, and the monitor looks at what is left. */

#include "state.pml"
#include "store.pml"
#include "coordinator.pml"

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
  /* It dies while it is kept; forGood, or until it comes back with all that is on its disk. */
  :: d_step { lossesLeft > 0 && reg.turned && reg.owner != s -> lossesLeft--; gone[s] = forGood }
  :: d_step { lossesLeft > 0 && reg.turned && reg.owner != s -> lossesLeft--; gone[s] = forNow }
  :: d_step { gone[s] == forNow || (gone[s] == forGood && reg.owner == s) -> gone[s] = no;
#ifdef SABOTAGE_BACK_FROM_THE_DEAD
       if
       :: st[s].state == staged -> st[s].state = serving
       :: else
       fi
#endif
     }
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
  outcome(servedInTheEnd, acknowledges(reg.owner) && (answer(1 - reg.owner) == MOVED || gone[1 - reg.owner] != no) && n > WRITES);
  outcome(noLostAck, st[reg.owner].data >= lastAcked);
  inner(nothingLeftOver, !unsettled && (st[0].staging == 0 || gone[0] != no) && (st[1].staging == 0 || gone[1] != no))
}
