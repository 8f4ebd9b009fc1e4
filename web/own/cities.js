// The sample, as scripts/web.mjs packs it; the build puts its columns in the place of `keyhaul-cities`.

/** Keys and values: `IT/Rome`, and what is known of it. */
export async function citiesOf() {
  const { columns } = await import('keyhaul-cities')
  const [thousands, lat, lon] = [columns.thousands, columns.lat, columns.lon].map((column) => column.split(' ').map(Number))
  const keys = columns.names.split('\n').flatMap((line) => {
    const [country, ...names] = line.split('\t')
    return names.map((name) => `${country}/${name}`)
  })
  return keys.map((key, i) => ({ key, value: { population: thousands[i] * 1000, lat: lat[i] / 100, lon: lon[i] / 100 } }))
}
