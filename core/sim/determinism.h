// D1, D3 and D5, judged after every event: the same run, beside itself.
#pragma once

#include "options.h"
#include "report.h"

namespace keyhaul::sim {

// The run of `one`, and beside it, in step with it and compared after every event:
//  - `repeatable`: `other`, equal options in whoever asks in earnest: a second run from the start (D1);
//  - `observed`: the same with a log of every event, looked at as a page looks at it (D5);
//  - `replayed`: begun anew at events 64, 128, 256, … of the run, brought there at once, and from there on in its
//    place: going back to a moment and on from there is the straight run (D3).
// The first event at which one of them is not where `one` is, is a violation in the name above. It costs ten to
// fifteen times what run() does.
Report runBesideItself(const Options& one, const Options& other);
inline Report runBesideItself(const Options& options) { return runBesideItself(options, options); }

}  // namespace keyhaul::sim
