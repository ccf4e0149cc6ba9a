import { useCallback, useEffect, useRef, useState } from 'react'
import type { Line } from './ocr/reader.ts'
import { explain, findProblem, nothingFound, type Problem } from './problems.ts'
import { type Found, read } from './receipt.ts'

interface Picture {
  file: File
  url: string
  /** Pixels, known once the worker has opened it. */
  size?: { width: number; height: number }
}

interface Progress {
  done: number
  total: number
}

type Phase = 'empty' | 'reading' | 'done' | 'stopped' | 'failed'

export interface Reading {
  phase: Phase
  picture?: Picture
  lines: Line[]
  progress?: Progress
  problem?: Problem
  tookMs?: number
  /** Nothing has been heard from the server for a while. */
  quiet?: boolean
}

type Change = (reading: Reading) => Reading

const quietMs = 10_000
const empty: Reading = { phase: 'empty', lines: [] }

/** Reads one picture at a time; starting another stops the one before. */
export function useReading() {
  const [reading, change] = useState(empty)
  const current = useRef<{ stop: AbortController; url: string }>(undefined)

  const complain = useCallback((problem: Problem) => change((reading) => ({ ...reading, problem })), [])
  const start = useCallback(
    (file: File) => {
      const problem = findProblem(file)
      if (problem) return complain(problem)
      current.current?.stop.abort()
      if (current.current) URL.revokeObjectURL(current.current.url)
      const run = { stop: new AbortController(), url: URL.createObjectURL(file) }
      current.current = run
      change(() => ({ phase: 'reading', picture: { file, url: run.url }, lines: [] }))
      void follow(file, run.stop.signal, (next) => {
        if (current.current === run) change(next)
      })
    },
    [complain],
  )

  const stop = useCallback(() => current.current?.stop.abort(), [])
  // A job goes on without its page, and nobody would see this one's lines.
  useEffect(() => {
    addEventListener('pagehide', stop)
    return () => removeEventListener('pagehide', stop)
  }, [stop])
  return { reading, start, stop, complain }
}

/** Runs the remote function and tells each change it makes, the end included. */
async function follow(file: File, signal: AbortSignal, tell: (change: Change) => void): Promise<void> {
  const started = performance.now()
  let quiet: ReturnType<typeof setTimeout> | undefined
  const listen = () => {
    clearTimeout(quiet)
    quiet = setTimeout(() => tell((reading) => ({ ...reading, quiet: true })), quietMs)
  }
  try {
    listen()
    const job = await read.with({ signal }).run(file)
    for await (const event of job) {
      listen()
      if (event.type === 'item') tell(found(event.value))
      if (event.type === 'progress') tell(heard({ progress: event.value as Progress }))
    }
    tell(finished(performance.now() - started))
  } catch (error) {
    tell(signal.aborted ? heard({ phase: 'stopped' }) : failed(explain(error, file)))
  } finally {
    clearTimeout(quiet)
  }
}

function heard(news: Partial<Reading>): Change {
  return (reading) => ({ ...reading, quiet: false, ...news })
}

function found(item: Found): Change {
  return (reading) => {
    if (item.kind === 'line') return heard({ lines: [...reading.lines, item] })(reading)
    const size = { width: item.width, height: item.height }
    return heard({ picture: reading.picture && { ...reading.picture, size } })(reading)
  }
}

function finished(tookMs: number): Change {
  return (reading) =>
    heard({ phase: 'done', tookMs, problem: reading.lines.length ? undefined : nothingFound })(reading)
}

/** What cannot work at another try makes room for another picture. */
function failed(problem: Problem): Change {
  return problem.again ? heard({ phase: 'failed', problem }) : () => ({ ...empty, problem })
}
