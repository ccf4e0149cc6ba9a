import type { Reading } from '../use-reading.ts'

/** How far the reading is, and a way to stop it. */
export function Status({ reading, onStop }: { reading: Reading; onStop: () => void }) {
  const { progress, quiet } = reading
  return (
    <div className="status">
      <label htmlFor="reading-progress">{describe(reading)}</label>
      <progress
        id="reading-progress"
        max={progress?.total || undefined}
        value={progress?.total ? progress.done : undefined}
      />
      <button type="button" className="button" onClick={onStop}>
        Stop
      </button>
      {quiet && <p className="remark">Nothing heard from the server for ten seconds. Is it still running?</p>}
    </div>
  )
}

function describe({ picture, progress }: Reading): string {
  if (!picture?.size) return 'Starting the reader'
  if (!progress) return 'Looking for text'
  return `Reading part ${Math.min(progress.done + 1, progress.total)} of ${progress.total}`
}
