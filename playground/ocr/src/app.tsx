import { useCallback } from 'react'
import { About } from './components/about.tsx'
import { Intake } from './components/intake.tsx'
import { Notice } from './components/notice.tsx'
import { Workbench } from './components/workbench.tsx'
import { findTotal } from './amounts.ts'
import { noSample } from './problems.ts'
import { useIncomingFile } from './use-incoming-file.ts'
import { type Reading, useReading } from './use-reading.ts'
import sampleUrl from '../sample/receipt.jpg'

export function App() {
  const { reading, start, stop, complain } = useReading()
  const held = useIncomingFile(start)
  const trySample = useCallback(() => fetchSample().then(start, () => complain(noSample)), [start, complain])
  const { picture, problem } = reading

  return (
    <>
      <header className="masthead">
        <h1>
          Receipt <mark>reader</mark>
        </h1>
        <p>Printed text, read line by line on this machine.</p>
      </header>
      <main data-phase={reading.phase}>
        {problem && (
          <Notice
            problem={problem}
            onAgain={picture && problem.again ? () => start(picture.file) : undefined}
          />
        )}
        {!picture && <Intake onFile={start} onSample={trySample} />}
        {picture && <Workbench reading={reading} onFile={start} onSample={trySample} onStop={stop} />}
        <p className="unseen" role="status">
          {announce(reading)}
        </p>
      </main>
      <About />
      {held && <div className="drop-veil">Drop the picture to read it</div>}
    </>
  )
}

async function fetchSample(): Promise<File> {
  const answer = await fetch(sampleUrl)
  if (!answer.ok) throw new Error(`the sample was answered with ${answer.status}`)
  return new File([await answer.blob()], 'sample-receipt.jpg', { type: 'image/jpeg' })
}

/** What a screen reader says as a reading goes on: its milestones, not each line. */
function announce({ phase, picture, lines, quiet }: Reading): string {
  const count = lines.length === 1 ? '1 line' : `${lines.length} lines`
  if (quiet) return 'Nothing heard from the server for ten seconds'
  if (phase === 'reading') return `Reading ${picture?.file.name}`
  if (phase === 'stopped') return `Stopped. ${count} read.`
  if (phase !== 'done' || lines.length === 0) return ''
  const total = findTotal(lines)
  return `Finished. ${count} read.${total ? ` Total ${total.amount}.` : ''}`
}
