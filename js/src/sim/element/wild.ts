// Where a bug of the kind that can be put in here did harm outside of simulators.
interface Story {
  readonly text: string
  readonly source: string
  readonly link: string
}

const onGitHub = (project: string, path: string, text: string): Story => {
  const [, , kind, number] = path.split('/')
  return { text, source: `${project} ${kind === 'pull' ? 'PR' : 'issue'} ${number}`, link: `https://github.com/${path}` }
}

const FSYNC: Story = { text: 'PostgreSQL called its checkpoints done after a sync that had failed: a second try succeeded for pages that the kernel had thrown away.', source: 'the “fsyncgate” thread, 2018', link: 'https://danluu.com/fsyncgate/' }
const S3: Story = { text: 'One flipped bit in messages between servers, the only ones without a checksum, took Amazon S3 down for most of a day.', source: 'Amazon’s report, July 2008', link: 'https://status.aws.amazon.com/s3-20080720.html' }
const ZOMBIES: Story = { text: 'Cassandra forgets a delete after a while; a node that never heard of it then brings the row back to all others.', source: 'Cassandra’s own manual', link: 'https://cassandra.apache.org/doc/latest/cassandra/managing/operating/compaction/tombstones.html' }
const TWO_OWNERS: Story = { text: 'A cut of 43 seconds made GitHub’s databases take writes on both coasts; bringing them together took a day.', source: 'GitHub’s analysis, October 2018', link: 'https://github.blog/2018-10-30-oct21-post-incident-analysis/' }
const SPLIT: Story = { text: 'Elasticsearch 1.1 lost acknowledged writes when the network was cut, because both sides went on as if they were alone.', source: 'Jepsen, 2014', link: 'https://aphyr.com/posts/317-jepsen-elasticsearch' }
const INDEX = onGitHub('etcd', 'etcd-io/etcd/issues/13766', 'etcd 3.5 could write its position in the log in another transaction than the data; after a crash between, members disagreed for good.')
const STORM: Story = { text: 'After a slip in a network change thousands of volumes of Amazon EBS copied themselves anew at once, and used up a zone for days.', source: 'Amazon’s report, April 2011', link: 'https://aws.amazon.com/message/65648/' }
const DELETED: Story = { text: 'GitLab deleted the data of its primary before anybody had made sure that another copy was whole; six hours were gone.', source: 'GitLab’s postmortem, 2017', link: 'https://about.gitlab.com/blog/2017/02/10/postmortem-of-database-outage-of-january-31/' }
const UNITS: Story = { text: 'One program told thrust in pound-force seconds, another took it for newton seconds: the Mars Climate Orbiter was lost.', source: 'NASA’s report, November 1999', link: 'https://llis.nasa.gov/llis_lib/pdf/1009464main1_0641-mr.pdf' }
const RETRIED = onGitHub('Valkey', 'valkey-io/valkey/issues/4545', 'A Valkey cluster under load tried one move of slots 268 times in five minutes; each try failed in the same way.')
const LARGE = onGitHub('Redis', 'redis/redis/issues/1616', 'A single key of many million elements kept both nodes of a Redis cluster busy until they failed over, with its slot half moved.')
const UNSEEN = onGitHub('Dragonfly', 'dragonflydb/dragonfly/pull/3218', 'Dragonfly began to listen for changes after it had taken the snapshot that it copied: keys written between were missing where the slots went.')
const BLACK_BOX = onGitHub('Redis', 'redis/redis/issues/14300', 'Who moved slots of a Redis cluster was not told how many keys had arrived.')
const AGAIN = onGitHub('ScyllaDB', 'scylladb/scylladb/issues/23582', 'A ScyllaDB stream that failed began at zero again, beside what it had sent, until the disk was full.')
const OVERTAKEN = onGitHub('DittoFS', 'marmos91/dittofs/issues/1974', 'DittoFS fetched chunks side by side and kept what arrived last: an old, large one put its bytes over the new.')
const GAP = onGitHub('BuildBuddy', 'buildbuddy-io/buildbuddy/pull/2420', 'BuildBuddy split a range at two keys, where one half ended and where the other began: all between was in neither.')
const THRASH = onGitHub('PD', 'tikv/pd/issues/11135', 'PD could move one region of TiKV to and fro: its few megabytes made each empty store the fullest.')
const CROWD = onGitHub('FoundationDB', 'apple/foundationdb/issues/2559', 'FoundationDB queued moves by the server that they leave alone: many could go to one target at once.')
const STARVED = onGitHub('CockroachDB', 'cockroachdb/cockroach/issues/81832', 'CockroachDB nodes took one snapshot at a time: steady rebalancing kept those waiting that repaired.')

const OF: readonly (readonly [Story, string])[] = [
  [FSYNC, 'ack-before-target ack-before-sync journal-not-synced ignore-write-error unnoticed-restart register-forgets live-restart'],
  [S3, 'ignore-checksum mixed-up'],
  [STORM, 'ignore-limits slots-as-before'],
  [ZOMBIES, 'drop-tombstones live-drop-tombstones late-clean-up staging-shown no-dedupe any-epoch retry-elsewhere cancel-leaves looks-again sweep-untold sweep-anywhere'],
  [TWO_OWNERS, 'stale-owner unfence-by-timer activate-early fence-forgotten fence-in-flight cut-before-drain late-activate no-read-fence never-unfence back-undrained window-by-timer own-writes back-from-the-dead looks-early gate-begun-anew'],
  [SPLIT, 'register-no-compare blind-commit any-coordinator old-incarnation foreign-writes feed-by-client'],
  [INDEX, 'gate-behind-data resume-past-checkpoint keep-torn-tail feed-after-scan late-feed skip-above-watermark live-skip-above late-way-back empty-page-is-end live-empty-page'],
  [DELETED, 'delete-after-copy unguarded-delete verify-source-only repair-is-verified blind-recheck close-early cancel-tail clean-up-in-window window-shut reverse-dropped given-up-unasked bucket-forgotten staging-forgotten repair-after blind-look'],
  [UNITS, 'budget-in-seconds'],
  [RETRIED, 'retry-for-ever'],
  [LARGE, 'large-entry-refused'],
  [AGAIN, 'no-clearing preempt-forgets journal-begun-anew'],
  [UNSEEN, 'early-open'],
  [OVERTAKEN, 'apply-older'],
  [GAP, 'split-key-lost split-key-twice part-for-whole'],
  [BLACK_BOX, 'counts-anew half-forgotten deaf'],
  [THRASH, 'chases-itself'],
  [CROWD, 'one-target admits-all planner-forgets'],
  [STARVED, 'priority-lost']
]

/** Undefined where no case is known to us. */
export const wildStory = (sabotage: string): Story | undefined => OF.find(([, names]) => names.split(' ').includes(sabotage))?.[0]
