// `keyhaul_sim --check-history FILE`: reads the file, prints the verdict and its witness.
#pragma once

namespace keyhaul::sim {

// Exit codes are those of the keyhaul command: 0 linearizable, 3 not, 1 unreadable or given up.
int checkHistory(const char* path);

}  // namespace keyhaul::sim
