// What the page begins with, and the six steps of the tour. Each step is a link.

// Stores 0 to 3, the register 4, keyhaul 5: it is killed in the middle of the first copy.
const CRASH = '2000000:crash:5:700'

/** Of a caption: from this second on. */
const at = (s, text) => ({ atUs: s * 1e6, text })

export const STORY = {
  title: 'A new store takes its share',
  link: `v=1&s=add-node&seed=1&f=none&t=700&a=${CRASH}`,
  speed: 1.4,
  captions: [
    at(0, 'Three stores are full of keys; s3 is new and empty. The circles above are clients, and write all the time.'),
    at(1.1, 'keyhaul moves a range of keys to s3, page by page, while clients go on writing it.'),
    at(2, 'Somebody kills keyhaul, in the middle of the copy.'),
    at(2.7, 'It is back, reads its journal, and goes on where it was.'),
    at(5, 'All has arrived, and is compared. What clients wrote meanwhile comes after it.'),
    at(6.3, 'For a moment writers wait: the range changes its owner.'),
    at(6.9, 's3 has it now. The old copy is cleared away, and not one write was lost.'),
    at(9.9, '')
  ]
}

export const TOUR = [
  STORY,
  {
    title: 'A store is emptied, in use',
    link: 'v=1&s=drain&seed=1&f=none&t=700',
    speed: 2,
    captions: [
      at(0, 's1 is to be switched off. It gives one range to s0 and one to s2, and clients notice nothing.'),
      at(6, 'The first range changes its owner. Whoever still asks s1 is told where it went.'),
      at(9.1, 'The second one follows. What s1 still holds is deleted only now.'),
      at(11.6, 's1 owns nothing and holds nothing: it may be switched off.')
    ]
  },
  {
    title: 'The busiest range moves',
    link: 'v=1&s=hot-range&seed=1&f=none&t=1600',
    speed: 2,
    captions: [
      at(0, 'Four of five requests are for one range. It moves to s2 all the same, while it is hot.'),
      at(5.2, 'What is copied is old at once. keyhaul follows the writes until only a few are missing.'),
      at(8, 'Only for those few writers have to wait.'),
      at(8.5, 's2 takes the load now.')
    ]
  },
  {
    title: 'Heard by nobody',
    link: 'v=1&s=asymmetric-partition&seed=1&f=none&t=1300',
    speed: 1.5,
    captions: [
      at(0, 'A bad kind of broken network: one that works in one direction only.'),
      at(2, 's2 hears everybody, and nobody hears s2. Did it write what it was sent? keyhaul may not guess: it asks again.'),
      at(5, 'It can be heard again. What came twice is written once.'),
      at(6.8, 'Now it is s1 that nobody hears.'),
      at(9.8, '')
    ]
  },
  {
    title: 'A bug is put in, and caught',
    link: 'v=1&s=story&seed=1&f=none&t=900&a=500000:sabotage:ack-before-sync',
    speed: 0.5,
    captions: [at(0, 'The stores now say “it is on the disk” before it is. Watch the panel: a promise breaks within two seconds.')]
  },
  {
    title: 'The same in your terminal',
    link: 'v=1&s=follow&seed=42',
    speed: 20,
    captions: [at(0, 'A run is a function of its seed. “Copy command” below prints the hash that this one ends with.'), at(25, '')]
  }
]
