import '../dist/sim/worker.js'
