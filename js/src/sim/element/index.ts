// `import 'keyhaul/sim/element'` defines <keyhaul-sim>.
import { KeyhaulSim } from './element.js'

export { fromLink, type Shared, toCommand, toLink } from './link.js'
export type { Caption } from './attributes.js'
export { KeyhaulSim } from './element.js'

if (typeof customElements !== 'undefined' && customElements.get('keyhaul-sim') === undefined) customElements.define('keyhaul-sim', KeyhaulSim)

declare global {
  interface HTMLElementTagNameMap {
    'keyhaul-sim': KeyhaulSim
  }
}
