/* Bounds, names, the state of everybody, and what the properties look at. */

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

#ifndef WINDOWS
#define WINDOWS 0             /* decisions after which the claim is turned round, and the source kept */
#endif
#ifndef LOSSES
#define LOSSES 0              /* sources that die for good while they are kept, or come back later */
#endif

#define NONE 255
#define EPOCHS 12

mtype:state = { serving, fenced, readFenced, staged, activated, redirecting }
mtype:step = { standby, dead, lookUp, settle, claim, takeOver, openFeed, prepare, copy, catchUp,
               fence, drain, fenceReads, decide, abort, activate, unfence, redirect, discard, cleanUp,
               apply, applyPage, flush, arm, turn }
mtype:reply = { accepted, refused, again }
mtype:answer = { OK, RETRY, MOVED }

/* turned: the way back of what was decided before. decided: and may still be turned round. */
typedef Ownership { byte owner; byte epoch; byte migration; byte coordEpoch; bool turned; bool decided }

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
byte windowsLeft = WINDOWS;
byte lossesLeft = LOSSES;
mtype:gone = { no, forNow, forGood }
mtype:gone gone[2] = no;       /* answers nobody */
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
byte givenUpMid;               /* whose source somebody has given up */

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
