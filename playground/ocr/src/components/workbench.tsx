import { useEffect, useRef, useState } from 'react'
import { findTotal } from '../amounts.ts'
import type { Reading } from '../use-reading.ts'
import { Lines } from './lines.tsx'
import { Pick } from './pick.tsx'
import { PictureView } from './picture-view.tsx'
import { Status } from './status.tsx'
import { Summary } from './summary.tsx'

interface Props {
  reading: Reading
  onFile: (file: File) => void
  onSample: () => void
  onStop: () => void
}

/** The picture on one side, its lines on the other; one line at a time is lit on both. */
export function Workbench({ reading, onFile, onSample, onStop }: Props) {
  const [lit, setLit] = useState<number>()
  const heading = useRef<HTMLHeadingElement>(null)
  const list = useRef<HTMLOListElement>(null)
  const url = reading.picture?.url
  // The button that started this reading may be gone, so the focus goes to what it brought.
  useEffect(() => {
    setLit(undefined)
    heading.current?.focus({ preventScroll: true })
  }, [url])
  const focusLine = (index: number) => list.current?.querySelectorAll('button')[index]?.focus()
  // The button goes away with the reading.
  const stop = () => {
    heading.current?.focus({ preventScroll: true })
    onStop()
  }
  const { phase, lines } = reading
  // A total is the largest amount of all, so it is looked for once all are there.
  const total = phase === 'reading' ? undefined : findTotal(lines)

  return (
    <div className="workbench">
      <PictureView reading={reading} lit={lit} onLit={setLit} onPick={focusLine} />
      <section className="results" aria-labelledby="results-title">
        <div className="results-head">
          <h2 id="results-title" ref={heading} tabIndex={-1}>
            {phase === 'reading' || lines.length > 0 ? 'What it says' : 'Nothing read'}
          </h2>
          <div className="actions">
            <Pick plain onFile={onFile}>
              Choose another
            </Pick>
            <button type="button" className="button" onClick={onSample}>
              Try the sample
            </button>
          </div>
        </div>
        {phase === 'reading' && <Status reading={reading} onStop={stop} />}
        {phase === 'stopped' && <p className="remark">Stopped. What had been read until then stays below.</p>}
        {lines.length > 0 && <Summary reading={reading} total={total} onLit={setLit} />}
        <Lines ref={list} lines={lines} total={total?.line} lit={lit} onLit={setLit} />
        {lines.length > 0 && (
          <p className="remark">Point at a line, or walk with the arrow keys, to see where it stands.</p>
        )}
      </section>
    </div>
  )
}
