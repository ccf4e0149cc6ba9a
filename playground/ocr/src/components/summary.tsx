import { useEffect, useState } from 'react'
import type { Total } from '../amounts.ts'
import type { Reading } from '../use-reading.ts'

interface Props {
  reading: Reading
  total: Total | undefined
  onLit: (line?: number) => void
}

/** The likely total, how much was read, and the text to take along. */
export function Summary({ reading, total, onLit }: Props) {
  const { lines, tookMs } = reading
  const count = lines.length === 1 ? '1 line' : `${lines.length} lines`
  return (
    <div className="summary">
      {total && (
        <dl
          className="total"
          data-testid="total"
          onPointerEnter={() => onLit(total.line)}
          onPointerLeave={() => onLit()}
        >
          <dt>Likely total</dt>
          <dd>{total.amount}</dd>
        </dl>
      )}
      <p data-testid="count">
        {count}
        {tookMs !== undefined && ` in ${(tookMs / 1000).toFixed(1)} s`}
      </p>
      <CopyButton text={lines.map((line) => line.text).join('\n')} />
    </div>
  )
}

function CopyButton({ text }: { text: string }) {
  const [outcome, setOutcome] = useState<'copied' | 'refused'>()
  useEffect(() => {
    if (!outcome) return
    const timer = setTimeout(() => setOutcome(undefined), 2500)
    return () => clearTimeout(timer)
  }, [outcome])
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setOutcome('copied'),
      () => setOutcome('refused'),
    )
  return (
    <>
      <button type="button" className="button" onClick={copy}>
        Copy text
      </button>
      <span className="copy-outcome" role="status">
        {outcome === 'copied' && 'Copied'}
        {outcome === 'refused' && 'The browser did not allow it'}
      </span>
    </>
  )
}
