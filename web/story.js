// What the page begins with, and the six steps of the tour. Each step is a link.
const story = 'v=1&s=story&seed=1&f=none'

export const STORY = {
  link: `${story}&a=6000000:crash:3:1800`,
  captions: [
    [0, 'Two stores in use, and s2, which is new and empty. The circles above are clients; they write all the time.'],
    [1.0, 'keyhaul moves range A to s2, page by page, while clients go on writing it.'],
    [3.5, 'Range B comes along, from s1.'],
    [6.0, 'Now somebody kills keyhaul, in the middle of both moves.'],
    [7.8, 'It is back, reads its journal, and goes on where the disks say it was.'],
    [10.5, '']
  ].map(([s, text]) => ({ atUs: s * 1e6, text }))
}

export const TOUR = [
  { title: 'Ranges flow while clients write', link: STORY.link, captions: STORY.captions, speed: 2 },
  { title: 'A store dies, and comes back', link: `${story}&t=4500&a=5000000:crash:2:1500`, speed: 1, captions: [[4.5, 'The new store is about to lose its power, and all it has not yet synced.'], [5.0, 's2 is down. What keyhaul may count on is only what was durable.'], [8.5, '']] },
  { title: 'A network that loses, doubles and damages', link: `${story}&t=1000&a=900000:rate:drop:120000,900000:rate:duplicate:150000,900000:rate:corrupt:40000`, speed: 1, captions: [[1.0, 'One message in eight is lost (×), others arrive twice (rings) or damaged (diamonds). Every promise still holds.'], [9, '']] },
  { title: 'A bug: a store lies about its disk', link: `${story}&t=900&a=500000:sabotage:ack-before-sync`, speed: 0.5, captions: [[0, 'The stores now say “it is on the disk” before it is. Watch the panel: a promise breaks within two seconds.']] },
  { title: 'Everything at once', link: 'v=1&s=swarm&seed=32', speed: 2, captions: [[0, 'Another seed, and every fault there is: crashes, cuts, torn disks, damaged messages. For forty seconds, then it has to recover.'], [6, '']] },
  { title: 'The same hash in your terminal', link: 'v=1&s=follow&seed=42', speed: 20, captions: [[0, 'A run is a function of its seed. “Copy command” below prints the hash that this one ends with.'], [25, '']] }
].map((step) => ({ ...step, captions: step.captions.map((one) => (Array.isArray(one) ? { atUs: one[0] * 1e6, text: one[1] } : one)) }))
