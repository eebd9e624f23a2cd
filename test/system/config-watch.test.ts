import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { type Daemon, startDaemon } from '../helpers/daemon.ts'
import { sendRequest } from '../helpers/http-client.ts'
import { proxyConfig } from '../helpers/proxy-config.ts'
import { waitFor } from '../helpers/wait.ts'

const answering = (body: string) => stringify(proxyConfig([{ path: '/', respond: { status: 200, body } }]))

test('a saved configuration is taken by itself, however it is saved', async (t) => {
  const daemon = await startDaemon(t, { config: answering('first') })
  const { configFile, dir } = daemon

  await t.test('a file renamed over it', async () => {
    daemon.writeConfig(answering('renamed'))
    await waitForBody(daemon, 'renamed')
  })
  await t.test('written in place', async () => {
    writeFileSync(configFile, answering('in place'))
    await waitForBody(daemon, 'in place')
  })
  await t.test('moved away and written anew, as some editors do', async () => {
    renameSync(configFile, `${configFile}~`)
    writeFileSync(configFile, answering('edited'))
    rmSync(`${configFile}~`)
    await waitForBody(daemon, 'edited')
  })
  await t.test('deleted, and back later', async () => {
    rmSync(configFile)
    await waitFor(async () => (await daemon.status()).lastReload?.ok === false, { what: 'the loss to be noticed' })
    assert.equal(await readBody(daemon), 'edited')
    writeFileSync(configFile, answering('back'))
    await waitForBody(daemon, 'back')
  })
  await t.test('a link into a directory that is exchanged, as Kubernetes does', async () => {
    publish(dir, '..1', 'linked')
    rmSync(configFile)
    symlinkSync('..data/config.yaml', configFile)
    await waitForBody(daemon, 'linked')
    publish(dir, '..2', 'exchanged')
    await waitForBody(daemon, 'exchanged')
  })
})

/** What `..data` points to is exchanged in one step. */
function publish(dir: string, name: string, body: string): void {
  mkdirSync(join(dir, name))
  writeFileSync(join(dir, name, 'config.yaml'), answering(body))
  symlinkSync(name, join(dir, '..new'))
  renameSync(join(dir, '..new'), join(dir, '..data'))
}

async function waitForBody(daemon: Daemon, body: string): Promise<void> {
  await waitFor(async () => (await readBody(daemon)) === body, { what: `the answer ${body}` })
}

async function readBody({ port }: Daemon): Promise<string> {
  return (await sendRequest({ port }, { path: '/' })).body.toString()
}
