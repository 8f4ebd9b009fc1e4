// Context mixing: some contexts keep for each bit of a byte how often it was 0 and 1 there (states), others only which byte came last
// and how many times in a row (runs); tables learn what that is worth, and a mixer weighs what all of them say
// by how often they were right. A module has half a million bytes: there need not be many contexts, but the right ones
// (contexts.h). A run is one word where a state is a line of the cache or two: waiting for memory was half of the time.
// Packing and unpacking agree everywhere: all of it is integers, but for floats that are exact (vector.h).
#include "model.h"

#include "contexts.h"
#include "vector.h"

uint32_t facts[kFacts];

namespace {

constexpr uint32_t kSteps = 4;     // bits that one slot serves
constexpr uint32_t kPathMax = 15;  // bits of a byte

// The states of a context, for some bits: one for each node of a tree of four levels.
struct alignas(16) Slot {
  uint8_t check;
  uint8_t states[(1 << kSteps) - 1];
};
constexpr uint32_t kSlotsLog = 18;
alignas(64) Slot slots[1 << kSlotsLog];

// Byte, how many times in a row, whether there was another one before, and check.
constexpr uint32_t kRunsLog = 19;
constexpr uint32_t kRunMax = 15;
constexpr uint32_t kBroken = kRunMax + 1;
uint32_t runs[1 << kRunsLog];

// How likely a 1 is after each state, and the byte of a run by how many bits of it have come, less a half: of 65536. How states go on. A
// state is how many zeros (high four bits) and ones there were, as far as they matter: when the other comes,
// much of a count is forgotten. After state 0 nothing is known.
int16_t odds[kStates][256];
int16_t runOdds[kRuns][2 * kBroken];
constexpr int16_t kRate = 7;
constexpr int16_t kHalf = 1 << (15 - kRate);
uint8_t nextState[2][256];
uint8_t counted[256];

uint16_t squashed[4096];  // 65536 / (1 + e^-x), x of 256ths

// The weights of all contexts. One row of each of three sets is added: of kind and node, of the selector, and of how many
// contexts were seen before.
constexpr uint32_t kOfNode = 0;
constexpr uint32_t kOfSelector = kOfNode + 256 * kKinds;
constexpr uint32_t kOfSeen = kOfSelector + (kPathMax + 1) * kSelectors;
Shorts weights[kOfSeen + (kStates + 1) * kKinds];
constexpr int16_t kWeight = 4500;  // at first
constexpr int32_t kLearning = 400;

// A fact, and what it is multiplied by in each context: by 0 where it is none of it.
struct Part {
  Words factors[kContexts / 4];
  const uint32_t* fact;
};
Part parts[kKinds][kFacts];
uint32_t partsOf[kKinds];

// Codes of the bytes of each kind, frequent ones short: fewer bits to predict. Children of node n are at 2n and 2n + 1;
// what is 256 or more is a byte. A path begins in the highest bit.
uint16_t children[kKinds][512];
uint16_t paths[kKinds][256];

Shorts ofStates;  // ones where a context has states

Coder coder;
const uint8_t* given;

[[clang::minsize]] void makeTables() {
  // x from -8 by halves; between them straight lines.
  static const uint16_t curve[] = {22,    36,    60,    98,    162,   267,   439,   720,   1179,  1921,  3108,
                                   4971,  7812,  11955, 17625, 24743, 32768, 40793, 47911, 53581, 57724, 60565,
                                   62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514};
  for (uint32_t i = 0; i < 4096; ++i) {
    const uint32_t part = i & 127;
    squashed[i] = static_cast<uint16_t>((curve[i >> 7] * (128 - part) + curve[(i >> 7) + 1] * part) >> 7);
  }
  for (uint32_t state = 0; state < 256; ++state) {
    const uint32_t zeros = state >> 4;
    const uint32_t ones = state & 15;
    counted[state] = static_cast<uint8_t>(zeros + ones);
    for (uint32_t bit = 0; bit < 2; ++bit) {
      uint32_t counts[] = {zeros, ones};
      if (counts[bit] < 15) ++counts[bit];
      if (counts[1 - bit] > 3) counts[1 - bit] = (counts[1 - bit] + 3) / 2;
      nextState[bit][state] = static_cast<uint8_t>(counts[0] << 4 | counts[1]);
    }
    for (auto& context : odds) context[state] = static_cast<int16_t>(65535 * (ones * 5 + 2) / (counted[state] * 5U + 4) - 32768);
  }
  for (auto& context : runOdds) {
    for (uint32_t run = 0; run < 2 * kBroken; ++run) {
      context[run] = static_cast<int16_t>(32767 - 20000 / ((run & kRunMax) + 1));
    }
  }
  for (uint32_t row = 0; row < kOfSelector; ++row) weights[row] = shorts(kWeight);
  for (uint32_t i = 0; i < kStates; ++i) ofStates[i] = -1;
  uint32_t factor = 1;
  for (uint32_t kind = 0; kind < kKinds; ++kind) {
    for (uint32_t fact = 0; fact < kFacts; ++fact) {
      Part& part = parts[kind][partsOf[kind]];
      part.fact = &facts[fact];
      bool isAny = false;
      for (uint32_t i = 0; i < kContexts; ++i) {
        factor *= 0x2c1b3c6dU;
        const bool has = (kMasks[kind][i] >> fact & 1) != 0;
        part.factors[i / 4][i % 4] = has ? factor : 0;
        isAny = isAny || has;
      }
      if (isAny) ++partsOf[kind];
    }
  }
}

// A code in which a byte of a kind has `lengths` bits, 0 for none.
[[clang::minsize]] void makeCode(Kind kind, const uint8_t* lengths) {
  uint16_t* const tree = children[kind];
  uint16_t nodes = 2;
  uint32_t code = 0;
  for (uint32_t length = 1; length <= kPathMax; ++length, code <<= 1) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      if (lengths[byte] != length) continue;
      uint32_t node = 1;
      for (uint32_t left = length - 1; left > 0; --left) {
        uint16_t& child = tree[(2 * node + (code >> left & 1)) & 511];
        if (child == 0) child = nodes++;
        node = child;
      }
      tree[(2 * node + (code & 1)) & 511] = static_cast<uint16_t>(256 + byte);
      paths[kind][byte] = static_cast<uint16_t>(code++ << (16 - length));
    }
  }
}

// No bit of the result is one of `hash`, as in mixed().
inline Words scrambled(Words hash) {
  hash ^= hash >> 15;
  hash *= 0x85ebca6bU;
  return hash ^ hash >> 13;
}

// Where the states of some bits are, of two places the one where they were, or that where less was seen. How many were there before.
inline uint32_t fetch(Words hashes, uint8_t** states) {
  uint32_t found = 0;
#pragma unroll
  for (uint32_t i = 0; i < kStates; ++i) {
    const uint32_t hash = hashes[i];
    const uint8_t check = static_cast<uint8_t>(hash);
    const uint32_t at = hash >> (32 - kSlotsLog);
    const uint32_t isOne = slots[at].check == check;
    const uint32_t isOther = slots[at ^ 1].check == check;
    const uint32_t isLess = counted[slots[at ^ 1].states[0]] < counted[slots[at].states[0]];
    Slot& slot = slots[at ^ ((isOne ^ 1) & (isOther | isLess))];
    const uint32_t isFound = isOne | isOther;
    found += isFound;
    reinterpret_cast<Bytes&>(slot) &= static_cast<Bytes>(words(0 - isFound));
    slot.check = check;
    states[i] = slot.states;
  }
  return found;
}

}  // namespace

void beginModel(uint8_t* packed, const uint8_t* symbols) {
  makeTables();
  coder.begin(packed);
  given = symbols;
}

#ifdef KEYHAUL_PACK
uint32_t counts[kKinds][256];
static bool isCounting;

uint8_t* endModel() { return coder.end(); }

void beginCounting(const uint8_t* symbols) {
  isCounting = true;
  given = symbols;
}
#endif

uint8_t symbol(Kind kind, uint32_t before, uint32_t selector) {
#ifdef KEYHAUL_PACK
  if (isCounting) {
    ++counts[kind][*given];
    return *given++;
  }
#endif
  constexpr Words kSalts[] = {{0x9e3779b1U, 0x85ebca77U, 0xc2b2ae3dU, 0x27d4eb2fU}, {0x165667b1U, 0x2c1b3c6dU, 0xfd7046c5U, 0xb55a4f09U}};
  Words hashes[kContexts / 4];
#pragma unroll
  for (uint32_t half = 0; half < kContexts / 4; ++half) hashes[half] = words(before + kind + 1) * kSalts[half];
  for (const Part *part = parts[kind], *const end = part + partsOf[kind]; part < end; ++part) {
    const Words fact = words(*part->fact);
    hashes[0] += fact * part->factors[0];
    hashes[1] += fact * part->factors[1];
  }
#pragma unroll
  for (Words& hash : hashes) hash = scrambled(hash);
  // What each run expects, and whether that may still come.
  uint32_t* places[kRuns];
  uint32_t last[kRuns];
  int16_t* right[kRuns];
  Shorts told{};
  Shorts expected{};
  Shorts active = ofStates;
#pragma unroll
  for (uint32_t i = 0; i < kRuns; ++i) {
    const uint32_t hash = hashes[(kStates + i) / 4][(kStates + i) % 4];
    places[i] = &runs[hash >> (32 - kRunsLog)];
    const uint32_t run = *places[i];
    const uint32_t length = run >> 16 == (hash & 0xffff) ? run >> 8 & 255 : 0;
    last[i] = hash << 16 | length << 8 | (run & 255);
    right[i] = &runOdds[i][length];
    told[kStates + i] = *right[i];
    expected[kStates + i] = static_cast<int16_t>(paths[kind][run & 255]);
    active[kStates + i] = length != 0 ? -1 : 0;
  }
  uint8_t* states[kStates];
  uint32_t found = fetch(hashes[0], states);
  uint32_t path = kPacking ? static_cast<uint32_t>(paths[kind][*given++]) << 16 : 0;
  Shorts* const byNode = &weights[kOfNode + 256 * kind];
  Shorts* bySelector = &weights[kOfSelector + (kPathMax + 1) * selector];
  Shorts* const bySeen = &weights[kOfSeen + (kStates + 1) * kind];
  Coder c = coder;
  uint32_t node = 1;
  uint32_t place = 0;
  for (uint32_t depth = 0;;) {
    uint32_t state[kStates];
#pragma unroll
    for (uint32_t i = 0; i < kStates; ++i) {
      state[i] = states[i][place];
      told[i] = odds[i][state[i]];
    }
    // Where a run expects a 0 the other way round, and nothing of a run that has ended.
    const Shorts isUp = expected >> 15 | ofStates;
    const Shorts turned = told ^ ~isUp;
    const Shorts p = turned & active;
    const Shorts inputs = logOdds(p);
    Shorts& ofNode = byNode[node];
    Shorts& ofSelector = *bySelector;
    Shorts& ofSeen = bySeen[found];
    const int32_t said = dot(sum(sum(ofNode, ofSelector), ofSeen), inputs) >> 14;
    const uint32_t ones = squashed[said < -2047 ? 1 : said > 2047 ? 4095 : said + 2048];

    const uint32_t middle = c.middle(ones);
    const uint32_t bit = c.isOne(path >> 31, middle) ? 1 : 0;
    c.take(bit, middle);
    const int32_t error = (static_cast<int32_t>(bit << 16) - static_cast<int32_t>(ones)) * kLearning >> 12;
    const Shorts change = scaled(inputs, shorts(static_cast<int16_t>(error)));
    ofNode = sum(ofNode, change);
    ofSelector = sum(ofSelector, change);
    ofSeen = sum(ofSeen, change);
    const Shorts isZero = shorts(static_cast<int16_t>(bit - 1));
    const Shorts step = ((p ^ ~isZero) >> kRate) + kHalf;
    told ^= ((p + ((step ^ isZero) - isZero)) ^ turned) & active;
    together(told);
#pragma unroll
    for (uint32_t i = 0; i < kStates; ++i) {
      odds[i][state[i]] = told[i];
      odds[i][0] = 0;
      states[i][place] = nextState[bit][state[i]];
    }
    active &= (isUp ^ isZero) | ofStates;
    place = 2 * place + 1 + bit;
    node = children[kind][2 * node + bit];
    if (node >= 256) break;
    path <<= 1;
    expected += expected;
    ++bySelector;
    if (++depth % kSteps == 0) {
      // No such code: in a damaged stream.
      if (node == 0 || depth >= kPathMax) __builtin_trap();
      place = 0;
      found = fetch(scrambled(hashes[0] + words(node * 0x9e3779b1U)), states);
    }
  }
  coder = c;
#pragma unroll
  for (uint32_t i = 0; i < kRuns; ++i) {
    *right[i] = told[kStates + i];
    const uint32_t byte = node & 255;
    const uint32_t length = last[i] >> 8 & 255;
    const uint32_t longer = (length & kRunMax) < kRunMax ? length + 1 : length;
    const uint32_t now = length == 0 ? 1 : (last[i] & 255) == byte ? longer : kBroken | 1;
    *places[i] = (last[i] & 0xffff0000) | now << 8 | byte;
  }
  return static_cast<uint8_t>(node);
}

[[clang::minsize]] void codeLengths() {
  static uint8_t read[kKinds][256];
  for (uint32_t i = 0; i < 16; ++i) read[0][i] = 4;
  makeCode(kLengths, read[0]);
  for (uint32_t kind = kLengths + 1; kind < kKinds; ++kind) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      facts[kPlace] = byte;
      facts[kTop0] = read[kind - 1][byte];
      facts[kOp2] = facts[kOp1];
      facts[kOp1] = facts[kOp0];
      read[kind][byte] = static_cast<uint8_t>(facts[kOp0] = symbol(kLengths, 0, 0));
    }
    makeCode(static_cast<Kind>(kind), read[kind]);
  }
}
