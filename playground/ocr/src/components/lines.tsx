import type { KeyboardEvent, Ref } from 'react'
import { splitAmount } from '../amounts.ts'
import type { Line } from '../ocr/reader.ts'

interface Props {
  ref: Ref<HTMLOListElement>
  lines: Line[]
  /** Index of the line with the total. */
  total: number | undefined
  lit: number | undefined
  onLit: (line?: number) => void
}

const doubtful = 0.9

/** The lines as a list: one stop for the Tab key, the arrows walk through it. */
export function Lines({ ref, lines, total, lit, onLit }: Props) {
  const walk = (event: KeyboardEvent<HTMLOListElement>) => {
    const buttons = [...event.currentTarget.querySelectorAll('button')]
    const at = buttons.findIndex((button) => button === document.activeElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus()
  }
  return (
    <ol
      className="lines"
      ref={ref}
      aria-label="Lines, top to bottom"
      onKeyDown={walk}
      onPointerLeave={() => onLit()}
    >
      {lines.map((line, index) => (
        <LineItem
          key={index}
          line={line}
          lit={lit === index}
          total={total === index}
          reachable={index === (lit ?? 0)}
          onLit={() => onLit(index)}
        />
      ))}
    </ol>
  )
}

interface ItemProps {
  line: Line
  lit: boolean
  total: boolean
  reachable: boolean
  onLit: () => void
}

function LineItem({ line, lit, total, reachable, onLit }: ItemProps) {
  const [name, amount] = splitAmount(line.text)
  return (
    <li>
      <button
        type="button"
        className="line"
        data-lit={lit || undefined}
        data-total={total || undefined}
        tabIndex={reachable ? 0 : -1}
        onFocus={onLit}
        onClick={onLit}
        onPointerEnter={onLit}
      >
        <span>{name}</span>
        {line.confidence < doubtful && (
          <span className="doubt" title={`${Math.round(line.confidence * 100)} % sure`}>
            unsure
          </span>
        )}
        {amount && <span className="amount"> {amount}</span>}
      </button>
    </li>
  )
}
