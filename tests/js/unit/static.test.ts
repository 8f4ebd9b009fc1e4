// The server of the demo, of benches and of pictures.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
// @ts-expect-error it is plain JavaScript
import { serveFolder } from '../../../scripts/static.mjs'
import { inFolder } from '../support/stores.ts'

const statusOf = (address: string, path: string): Promise<number | undefined> =>
  new Promise((done, fail) => {
    request(address, { path }, (response) => done(response.resume().statusCode)).on('error', fail).end()
  })

test('an address that is none is not found, and ends no server', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'index.html'), 'here')
    const { server, address } = await serveFolder(folder)
    try {
      for (const path of ['/%', '//', '/%E0%A4%A', '/nothing', '/../../etc/passwd']) assert.equal(await statusOf(address, path), 404, path)
      assert.equal(await statusOf(address, '/'), 200)
    } finally {
      server.close()
    }
  }))
