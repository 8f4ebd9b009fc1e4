// What scripts/mutants.mjs puts into the engine: in each file, texts that stand there once, and
// what to put in their place.
const MIGRATE = 'core/src/migrate/'
const GATE = 'core/src/gate/gate.cc'
const OWNERSHIP = 'core/src/ownership/ownership_map.cc'

/** Where each edit fits exactly once; anything else is a mutant of a code that is gone. */
export function edited(text, edits, name) {
  for (const [find, replace] of edits) {
    if (text.split(find).length !== 2) throw new Error(`${name}: this stands ${text.split(find).length - 1} times in the file, not once:\n${find}`)
    text = text.replace(find, () => replace)
  }
  return text
}

export const mutants = [
  {
    name: 'noBudget',
    what: 'the pause budget is ignored',
    edits: { [`${MIGRATE}live_tries.cc`]: [['  return over <= port.now();', '  return false;']] }
  },
  {
    name: 'notVouched',
    what: 'nothing is recorded of what was compared before the fence',
    edits: { [`${MIGRATE}live_proof.cc`]: [['  if (next == kFencing) vouch();\n', '  if (next == kFencing) verified_ = compared_, verifiedEpoch_ = shared_.claim.fenceEpoch();\n']] }
  },
  {
    name: 'anyVouch',
    what: 'what was compared for one attempt is a proof of another',
    edits: { [`${MIGRATE}live_proof.cc`]: [['const bool ours = verifiedEpoch_ ==', 'const bool ours = true || verifiedEpoch_ ==']] }
  },
  {
    name: 'vouchKept',
    what: 'the journal keeps the proof of an attempt that was given up where another was decided on',
    edits: { [`${MIGRATE}live_proof.cc`]: [['  if (spec().verify != VerifyDepth::kNone) recordVerified();\n', '']] }
  },
  {
    name: 'turnedUnrecorded',
    what: 'a claim is turned round before the journal says so',
    edits: { [`${MIGRATE}live_state.h`]: [['case kTurning: return {Part::kRegister, LiveStage::kCommitted, true,', 'case kTurning: return {Part::kRegister, LiveStage::kCommitted, false,']] }
  },
  {
    name: 'targetNotEmpty',
    what: 'a target that is not empty is accepted',
    edits: { [`${MIGRATE}prepare.cc`]: [['if (!targetWasEmpty_ && !shared_.spec().intoNonempty) return ErrorCode::kTargetNotEmpty;', '']] }
  },
  {
    name: 'noStrange',
    what: 'a journal is believed although another coordinator came since',
    edits: { [`${MIGRATE}live_after.cc`]: [['const bool strange = !fresh && shared_.claim.coordEpoch != knownCoordEpoch_ + 1;', 'const bool strange = false;']] }
  },
  {
    name: 'gateNoCoord',
    what: 'a gate does not look at the coordinator of a call',
    edits: { [GATE]: [['  if (own && call.coordEpoch < at->coordEpoch) return ErrorCode::kSuperseded;\n', '']] }
  },
  {
    name: 'applyNoCoord',
    what: 'a gate does not look at the coordinator of a write',
    edits: { [GATE]: [['own && coordEpoch >= at->coordEpoch ? Status{}', 'own && (coordEpoch | 1U) != 0 ? Status{}']] }
  },
  {
    name: 'noCoordCheckInRegister',
    what: 'the claim of another coordinator is taken for the own one',
    edits: { [`${MIGRATE}register_step.cc`]: [['  if (found->coordEpoch != coord) return ErrorCode::kSuperseded;\n', '']] }
  },
  {
    name: 'noReadFence',
    what: 'reads are not fenced before the decision',
    edits: { [`${MIGRATE}live_migration.cc`]: [['servingCapabilities().has(Capability::kReadFence) ? kReadFencing', 'false ? kReadFencing']] }
  },
  {
    name: 'refenceOpensReads',
    what: 'a fence that comes again opens reads',
    edits: { [GATE]: [['closed ? GateState::kReadFenced : GateState::kFenced', 'closed ? GateState::kFenced : GateState::kFenced']] }
  },
  {
    name: 'claimedRestartIgnored',
    what: 'a resumed one does not know that the staging is to be emptied',
    edits: { [`${MIGRATE}live_migration.cc`]: [['  restarting_ = image.restarting;\n', '']] }
  },
  {
    name: 'trimBeforeDurable',
    what: 'the feed is trimmed before the journal has what was applied',
    edits: { [`${MIGRATE}feed.cc`]: [['recorded_.position == trimmed_ || !durable', 'recorded_.position == trimmed_ || (!durable && false)']] }
  },
  {
    name: 'trimUnrecorded',
    what: 'a round of the approach takes for recorded what was only applied',
    edits: { [`${MIGRATE}feed.cc`]: [['if (position != position_) recorded_.position = position;', 'recorded_.position = position;']] }
  },
  {
    name: 'watchOffWhileVerifying',
    what: 'what changes while both sides are compared is not remembered',
    edits: { [`${MIGRATE}live_migration.cc`]: [['shared_.changed.watch(!shared_.namesPosition(), ', 'shared_.changed.watch(false, ']] }
  },
  {
    name: 'cleanUpAnyEpoch',
    what: 'a gate lets a clean-up of any epoch in',
    edits: { [GATE]: [['at->state == GateState::kRedirecting && at->epoch == epoch;', 'at->state == GateState::kRedirecting && (epoch | 1U) != 0;']] }
  },
  ...[
    ['Copy', 'copy_', 'the copy'],
    ['Feed', 'feed_', 'catching up']
  ].map(([part, member, of]) => ({
    name: `noAwait${part}`,
    what: `the end does not wait for the writes of ${of}`,
    edits: { [`${MIGRATE}job_base.cc`]: [[`case Part::k${part}: return ${member}.writing();`, `case Part::k${part}: return false;`]] }
  })),
  {
    name: 'noAwaitDiscard',
    what: 'the end does not wait for the deletions of discarding',
    harmless: 'they are deletions of what the same coordinator empties once more, and gates refuse those of an older one',
    edits: { [`${MIGRATE}job_base.cc`]: [['case Part::kDiscard: return discard_.writing();', 'case Part::kDiscard: return false;']] }
  },
  {
    name: 'noAwaitApproach',
    what: 'the end does not wait for the writes of the approach and of draining',
    edits: { [`${MIGRATE}live_migration.h`]: [['return feed_.writing(); }', 'return part() != Part::kApproach && feed_.writing(); }']] }
  },
  {
    name: 'postponeForgetsItsWrite',
    what: 'a write of an attempt that was given up is not awaited before the next',
    edits: { [`${MIGRATE}live_tries.cc`]: [['  stopPartsButWrites(port);', '  stopParts(port);']] }
  },
  {
    name: 'fenceWaitsForWrites',
    what: 'a stop behind the fence waits for a write that hangs',
    edits: { [`${MIGRATE}live_ending.cc`]: [[' && stage != LiveStage::kFenced) {', ') {']] }
  },
  {
    name: 'prepareDoesNotWait',
    what: 'a gate is quiet while a migration writes',
    edits: { [GATE]: [['if (touches(keysOf, span)) return false;', 'if (touches(keysOf, span)) continue;']] }
  },
  {
    name: 'fenceDoesNotWait',
    what: 'a fence is acknowledged while clients write',
    edits: { [GATE]: [['if (touches(keysOf, {key, Bound::at(successor(key))})) return false;', 'if (touches(keysOf, {key, Bound::at(successor(key))})) continue;']] }
  },
  {
    name: 'activateBeforeDecide',
    what: 'the target serves before the register said so',
    edits: {
      [`${MIGRATE}live_state.h`]: [['LiveStage::kFenced, false, liveBit(kDeciding) | kLetGo}', 'LiveStage::kFenced, false, liveBit(kActivating) | liveBit(kDeciding) | kLetGo}'], ['liveBit(kReadFencing) | liveBit(kDeciding) | kLetGo', 'liveBit(kReadFencing) | liveBit(kDeciding) | liveBit(kActivating) | kLetGo'], ['liveBit(kRedirecting) | kEnds', 'liveBit(kRedirecting) | liveBit(kDeciding) | kEnds'], ['liveBit(kActivating) | kEnds}', 'liveBit(kActivating) | liveBit(kRedirecting) | kEnds}']],
      [`${MIGRATE}live_migration.cc`]: [['    case kReadFencing: return enter(port, kDeciding);', '    case kReadFencing: return enter(port, kActivating);'], [': kDeciding);', ': kActivating);'], ['return enter(port, kRedirecting);', 'return enter(port, claim_decided() ? kRedirecting : kDeciding);'], ['ClaimState::kDecided) return enter(port, kActivating);', 'ClaimState::kDecided) return enter(port, kRedirecting);']],
      [`${MIGRATE}live_migration.h`]: [['  void enter(Port& port, MigrationState next);', '  bool claim_decided() const { return shared_.claim.state == ClaimState::kDecided; }\n  void enter(Port& port, MigrationState next);']]
    }
  },
  {
    name: 'abortWithoutRegister',
    what: 'it is given up without a compare-and-set',
    edits: { [`${MIGRATE}register_step.cc`]: [['  if (done_) return {};\n', '  if (done_) return {};\n  if (change_ == Change::kAbort) {\n    shared_.claim.state = ClaimState::kAborted;\n    done_ = true;\n    return {};\n  }\n']] }
  },
  {
    name: 'postponeWithoutRegister',
    what: 'the fence is lifted before the register said so',
    edits: { [`${MIGRATE}register_step.cc`]: [['  if (done_) return {};\n', '  if (done_) return {};\n  if (change_ == Change::kPostpone) {\n    shared_.claim.epoch = shared_.claim.abortEpoch();\n    done_ = true;\n    return {};\n  }\n']] }
  },
  {
    name: 'abortEpochOfTheFence',
    what: 'after an abort the source serves at e+1, not at e+2',
    edits: { 'core/include/keyhaul/ownership.h': [['{ return epoch + 2; }', '{ return epoch + 1; }']] }
  },
  {
    name: 'noLastLook',
    what: 'what changed is not looked at again behind the fence',
    edits: { [`${MIGRATE}approach.cc`]: [['        if (last_) {\n          step_ = Step::kRecheck;\n          startRecheck(port);\n          break;\n        }', '        if (last_) {\n          step_ = Step::kDone;\n          return {};\n        }']] }
  },
  {
    name: 'takeOverKeepsTheFence',
    what: 'who takes a claim over does not raise its epoch',
    edits: { [OWNERSHIP]: [['return claim->state == ClaimState::kClaimed ? postpone(id, claim->coordEpoch) : Status{};', 'return {};']] }
  },
  {
    name: 'feedOfTheDeadStays',
    what: 'a feed that died with its opener stays open',
    edits: { [`${MIGRATE}live_ending.cc`]: [['prepare_.feedAsked() || resumed_;', 'prepare_.feedAsked();']] }
  },
  {
    name: 'closeOnce',
    what: 'a feed that cannot be closed at once is left open',
    edits: { [`${MIGRATE}job_base.cc`]: [['  feedClosed_ = !again;\n', '  feedClosed_ = true;\n']] }
  },
  {
    name: 'undoneAsCancelled',
    what: 'after a crash every undoing is a cancel',
    edits: { [`${MIGRATE}live_migration.cc`]: [['  undoneFor_ = image.abortedFor;', '  undoneFor_ = ErrorCode::kOk;']] }
  },
  {
    name: 'stopWaitsForGates',
    what: 'a stop waits for a gate that is away',
    edits: { [`${MIGRATE}live_ending.cc`]: [['return part() == Part::kGate && (sourceGate_.failing() || targetGate_.failing());', 'return false;']] }
  },
  {
    name: 'journalBlamesStores',
    what: 'a journal that fails names a store',
    edits: { [`${MIGRATE}live_migration.cc`]: [['  fail(port, error, {}, text);', '  fail(port, error, shared_.source, text);']] }
  },
  {
    name: 'rechecksWithoutLimit',
    what: 'single keys are read again a thousand at a time, however large they are',
    edits: { [`${MIGRATE}recheck.cc`]: [['if (count > 0 && bytes > shared_.spec().pageBytes) break;', '']] }
  },
  {
    name: 'neverNotConverging',
    what: 'a feed that does not say how much waits is followed for ever',
    edits: { [`${MIGRATE}feed.cc`]: [['} else if (waiting_ == 0 && gathered_.us != UINT64_MAX) {', '} else if (false) {']] }
  },
  {
    name: 'writersStayThrottled',
    what: 'writers that were held back are not let go',
    edits: { [`${MIGRATE}live_tries.cc`]: [['if (std::exchange(throttled_, false)) port.noticeThrottle(shared_.source, 0);', 'static_cast<void>(port);']] }
  },
  {
    name: 'overlayForgetsTheRest',
    what: 'what lies above the last range that changes is forgotten',
    edits: { 'core/src/range/overlay.h': [['  while (i < parts.size()) appendPart(out, std::move(parts[i++]), same);\n  return out;', '  return out;']] }
  }
]
