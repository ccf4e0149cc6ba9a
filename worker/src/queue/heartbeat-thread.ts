/** Words of the memory that both threads share, before the bytes of the list. */
export const pulse = { version: 0, length: 1, turns: 2, words: 4 } as const

/** What the thread is given. */
export interface ThreadData {
  memory: SharedArrayBuffer
  isSecure: boolean
  options: { hostname: string; port: number; headers: Record<string, string> }
  /** The path with its query; ` ` stands where the list of jobs goes in, with its parameter. */
  path: string
  intervalMs: number
  /** Without a turn of the main thread's loop for so long, nothing is sent: without jobs, and with some. */
  deadAfterMs: { idle: number; busy: number }
}

/**
 * Program of the thread that tells the platform that the worker is alive. It is text, since a bundle is one file, and
 * what a bundler writes for a function need not stand on its own.
 *
 * The list of jobs is read from shared memory: it is there even when the main thread blocks right after writing it. The
 * version is odd while it is written, and another one afterwards.
 *
 * Source: runpod-python 1.12, serverless worker, heartbeat.
 */
export const heartbeatProgram = `
'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const { memory, isSecure, options, path, intervalMs, deadAfterMs } = workerData
const { request, Agent } = require(isSecure ? 'node:https' : 'node:http')
const agent = new Agent({ keepAlive: true })
const words = new Int32Array(memory, 0, ${pulse.words})
const bytes = new Uint8Array(memory, ${pulse.words * 4})
const mostAtOnce = 3
const retries = 3
let jobs = ''
let turns = 0
let turnedAt = Date.now()
let running = 0

function readJobs() {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const version = Atomics.load(words, ${pulse.version})
    if (version % 2 !== 0) continue
    const text = Buffer.from(bytes.slice(0, Atomics.load(words, ${pulse.length}))).toString()
    if (Atomics.load(words, ${pulse.version}) === version) return text
  }
  return jobs
}

function isDead() {
  const now = Date.now()
  const count = Atomics.load(words, ${pulse.turns})
  if (count !== turns) {
    turns = count
    turnedAt = now
  }
  parentPort.postMessage(null)
  return now - turnedAt > (jobs ? deadAfterMs.busy : deadAfterMs.idle)
}

function ping() {
  return new Promise((resolve) => {
    const list = jobs && new URLSearchParams({ job_id: jobs }) + '&'
    const sent = request({ ...options, agent, path: path.replace(' ', list) }, (response) => {
      response.on('error', () => {})
      response.on('close', end)
      response.resume()
      resolve(response.statusCode)
    })
    const timer = setTimeout(() => sent.destroy(new Error('no answer')), 2 * intervalMs)
    function end() {
      clearTimeout(timer)
    }
    sent.on('error', () => {
      end()
      resolve(0)
    })
    sent.end()
  })
}

async function beat() {
  jobs = readJobs()
  if (isDead() || running >= mostAtOnce) return
  running++
  for (let attempt = 0; attempt <= retries; attempt++) {
    const status = await ping()
    if (status !== 0 && status !== 429 && status < 500) break
    await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** attempt, intervalMs)))
  }
  running--
}

setInterval(beat, intervalMs)
beat()
`
