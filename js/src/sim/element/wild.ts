// Where a bug of the kind that can be put in here did harm outside of simulators.
interface Story {
  readonly text: string
  readonly source: string
  readonly link: string
}

const FSYNC: Story = { text: 'PostgreSQL called its checkpoints done after a sync that had failed: a second try reported success for pages that the kernel had thrown away.', source: 'the “fsyncgate” thread, 2018', link: 'https://danluu.com/fsyncgate/' }
const S3: Story = { text: 'One flipped bit in messages between servers, the only ones without a checksum, spread through Amazon S3 and took it down for most of a day.', source: 'Amazon’s report, July 2008', link: 'https://status.aws.amazon.com/s3-20080720.html' }
const ZOMBIES: Story = { text: 'Cassandra forgets a delete after a while; a node that never heard of it then brings the deleted row back to all the others.', source: 'Cassandra’s own manual', link: 'https://cassandra.apache.org/doc/latest/cassandra/managing/operating/compaction/tombstones.html' }
const TWO_OWNERS: Story = { text: 'A cut of 43 seconds made GitHub’s databases take writes on both coasts; it took a day to bring them together.', source: 'GitHub’s analysis, October 2018', link: 'https://github.blog/2018-10-30-oct21-post-incident-analysis/' }
const SPLIT: Story = { text: 'Elasticsearch 1.1 lost acknowledged writes when the network was cut, because both sides went on as if they were alone.', source: 'Jepsen, 2014', link: 'https://aphyr.com/posts/317-jepsen-elasticsearch' }
const INDEX: Story = { text: 'etcd 3.5 could write its position in the log in another transaction than the data; after a crash between them members disagreed for good.', source: 'etcd issue 13766', link: 'https://github.com/etcd-io/etcd/issues/13766' }
const STORM: Story = { text: 'After a slip in a network change thousands of volumes of Amazon EBS copied themselves anew at once. Nothing held them back enough, and they used up the room and the control plane of a whole zone for days.', source: 'Amazon’s report, April 2011', link: 'https://aws.amazon.com/message/65648/' }
const DELETED: Story = { text: 'GitLab deleted the data of its primary before anybody had made sure that another copy was whole; six hours of it were gone.', source: 'GitLab’s postmortem, 2017', link: 'https://about.gitlab.com/blog/2017/02/10/postmortem-of-database-outage-of-january-31/' }
const UNITS: Story = { text: 'One program told thrust in pound-force seconds, another took it for newton seconds: the Mars Climate Orbiter was lost.', source: 'NASA’s report, November 1999', link: 'https://llis.nasa.gov/llis_lib/pdf/1009464main1_0641-mr.pdf' }
const RETRIED: Story = { text: 'A Valkey cluster under load tried one move of slots 268 times in five minutes; each try failed in the same way.', source: 'Valkey issue 4545', link: 'https://github.com/valkey-io/valkey/issues/4545' }
const LARGE: Story = { text: 'A single key of many million elements kept both nodes of a Redis cluster busy until they failed over, with its slot half moved.', source: 'Redis issue 1616', link: 'https://github.com/redis/redis/issues/1616' }
const UNSEEN: Story = { text: 'Dragonfly began to listen for changes after it had taken the snapshot that it copied: keys written between the two were missing where the slots went.', source: 'Dragonfly PR 3218', link: 'https://github.com/dragonflydb/dragonfly/pull/3218' }
const BLACK_BOX: Story = { text: 'Who moved slots of a Redis cluster was told neither how many keys had arrived nor how many were left, and could only wait.', source: 'Redis issue 14300', link: 'https://github.com/redis/redis/issues/14300' }
const AGAIN: Story = { text: 'A ScyllaDB stream that failed began at zero again, beside all that it had sent before, until the disk was full.', source: 'ScyllaDB issue 23582', link: 'https://github.com/scylladb/scylladb/issues/23582' }
const OVERTAKEN: Story = { text: 'DittoFS fetched chunks side by side and kept whichever arrived last: an old, large one ended behind the new one and put its bytes back over it.', source: 'DittoFS issue 1974', link: 'https://github.com/marmos91/dittofs/issues/1974' }
const GAP: Story = { text: 'BuildBuddy split a range at two keys, where the one half ended and where the other began: what lay between them was in neither.', source: 'BuildBuddy PR 2420', link: 'https://github.com/buildbuddy-io/buildbuddy/pull/2420' }
const THRASH: Story = { text: 'PD, which balances TiKV, could move one region to and fro: among empty ones its few megabytes made each store that got it the fullest.', source: 'PD issue 11135', link: 'https://github.com/tikv/pd/issues/11135' }
const CROWD: Story = { text: 'FoundationDB queued moves by the server that they leave alone, so many could go to one target at once and wait there, with each write made twice.', source: 'FoundationDB issue 2559', link: 'https://github.com/apple/foundationdb/issues/2559' }
const STARVED: Story = { text: 'CockroachDB nodes took one snapshot at a time: at a customer’s, steady rebalancing kept those waiting that repaired.', source: 'CockroachDB issue 81832', link: 'https://github.com/cockroachdb/cockroach/issues/81832' }

const OF: readonly (readonly [Story, string])[] = [
  [FSYNC, 'ack-before-target ack-before-sync journal-not-synced ignore-write-error unnoticed-restart register-forgets live-restart'],
  [S3, 'ignore-checksum mixed-up'],
  [STORM, 'ignore-limits'],
  [ZOMBIES, 'drop-tombstones live-drop-tombstones late-clean-up staging-shown no-dedupe any-epoch retry-elsewhere cancel-leaves'],
  [TWO_OWNERS, 'stale-owner unfence-by-timer activate-early fence-forgotten fence-in-flight cut-before-drain late-activate no-read-fence never-unfence back-undrained window-by-timer own-writes back-from-the-dead'],
  [SPLIT, 'register-no-compare blind-commit any-coordinator old-incarnation foreign-writes feed-by-client'],
  [INDEX, 'gate-behind-data resume-past-checkpoint keep-torn-tail feed-after-scan late-feed skip-above-watermark live-skip-above late-way-back empty-page-is-end live-empty-page'],
  [DELETED, 'delete-after-copy unguarded-delete verify-source-only repair-is-verified blind-recheck close-early cancel-tail clean-up-in-window window-shut reverse-dropped given-up-unasked bucket-forgotten repair-after blind-look'],
  [UNITS, 'budget-in-seconds'],
  [RETRIED, 'retry-for-ever'],
  [LARGE, 'large-entry-refused'],
  [AGAIN, 'no-clearing preempt-forgets'],
  [UNSEEN, 'early-open'],
  [OVERTAKEN, 'apply-older'],
  [GAP, 'split-key-lost split-key-twice'],
  [BLACK_BOX, 'counts-anew half-forgotten deaf'],
  [THRASH, 'chases-itself'],
  [CROWD, 'one-target'],
  [STARVED, 'priority-lost']
]

/** Undefined where no case is known to us. */
export const wildStory = (sabotage: string): Story | undefined => OF.find(([, names]) => names.split(' ').includes(sabotage))?.[0]
