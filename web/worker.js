// It unpacks and makes its module while it is loaded, not when somebody asks: the page is still loading then.
import '../dist/sim/worker.js'
