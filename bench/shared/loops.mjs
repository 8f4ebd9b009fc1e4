// The loops that people write to copy one LevelDB into another, which keyhaul is measured against.

export const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' }

/** As many rows at once as are handy, and the array form of batch(). */
export async function usualLoop(a, b) {
  const iterator = a.iterator(BYTES)
  for (;;) {
    const rows = await iterator.nextv(1000)
    if (rows.length === 0) break
    await b.batch(rows.map(([key, value]) => ({ type: 'put', key, value })), BYTES)
  }
  await iterator.close()
}

/** Pages of so many bytes at least, each read while the one before is written in a chained batch; which are durable goes by their number. */
export const bareLoop = (pageBytes, isDurable = () => false) => async (a, b) => {
  const iterator = a.iterator({ ...BYTES, highWaterMarkBytes: pageBytes })
  let next = iterator.nextv(16_384)
  for (let page = 1; ; page++) {
    const rows = await next
    if (rows.length === 0) break
    next = iterator.nextv(16_384)
    const batch = b.batch()
    for (const [key, value] of rows) batch.put(key, value, BYTES)
    await batch.write({ sync: isDurable(page) })
  }
  await iterator.close()
}
