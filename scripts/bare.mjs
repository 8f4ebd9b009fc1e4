// A Debian with nothing but this Node, git and certificates, and there a fresh clone of HEAD in which one command is run:
// node scripts/bare.mjs start (or: test). As root, where debootstrap is installed; build/bare is made anew each time.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bare = join(root, 'build/bare')
const command = process.argv[2] ?? 'start'
const run = (program, ...args) => execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
const MOUNTS = [['proc', ['-t', 'proc', 'proc']], ['sys', ['--bind', '/sys']], ['dev', ['--bind', '/dev']], ['dev/pts', ['--bind', '/dev/pts']], ['dev/shm', ['-t', 'tmpfs', 'tmpfs']]]
function unmount() {
  for (const [name] of MOUNTS.toReversed()) spawnSync('umount', [join(bare, name)], { stdio: 'ignore' })
}

unmount()
// What is mounted would be removed with it: this machine's own devices. A space is written \040 there.
if (readFileSync('/proc/mounts', 'utf8').replaceAll('\\040', ' ').includes(` ${bare}/`)) throw new Error(`something is mounted below ${bare}: umount it first`)
rmSync(bare, { recursive: true, force: true })
mkdirSync(bare, { recursive: true })
run('debootstrap', '--variant=minbase', '--include=ca-certificates,git', 'bookworm', bare)
// The places from which this machine installs, and whom it believes.
rmSync(join(bare, 'etc/apt/sources.list'), { force: true })
for (const path of ['/etc/apt/sources.list', '/etc/apt/sources.list.d', '/usr/share/keyrings', '/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt', '/usr/local/etc/npmrc']) {
  if (existsSync(path)) cpSync(path, join(bare, path), { recursive: true, dereference: true })
}
cpSync(process.execPath, join(bare, 'usr/local/bin/node'))
const npm = dirname(dirname(realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim())))
cpSync(npm, join(bare, 'usr/local/lib/node_modules/npm'), { recursive: true })
for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bare, 'usr/local/bin', name))
run('git', 'clone', '-q', root, join(bare, 'root/keyhaul'))
for (const [name, args] of MOUNTS) run('mount', ...args, join(bare, name))
const env = { HOME: '/root', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
const { status } = spawnSync('chroot', [bare, 'sh', '-c', `cd /root/keyhaul && npm ${command}`], { stdio: 'inherit', env })
unmount()
process.exit(status ?? 1)
