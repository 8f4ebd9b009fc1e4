import { KeyhaulError } from '../errors.js'
import type { Control, ControlOptions } from './control.js'

/** Outside Node there are no sockets of this kind. */
export async function serveControl({ path }: ControlOptions): Promise<Control> {
  throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { file: path, message: 'a control socket needs Node' })
}
