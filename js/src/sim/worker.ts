// A session in a Worker.
import { serve } from './channel.js'
import { Session } from './session.js'

serve(globalThis as unknown as MessagePort, new Session())
