import { getSimModule } from '../dist/sim/load.js'
import '../dist/sim/worker.js'

// At once, and not when somebody asks: the page is still loading. Why it does not work whoever asks is told.
try {
  getSimModule()
} catch {}
