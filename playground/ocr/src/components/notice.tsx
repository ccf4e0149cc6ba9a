import type { Problem } from '../problems.ts'

export function Notice({ problem, onAgain }: { problem: Problem; onAgain?: () => void }) {
  return (
    <div className="notice" role="alert">
      <div>
        <strong>{problem.title}</strong>
        <p>{problem.text}</p>
      </div>
      {onAgain && (
        <button type="button" className="button" onClick={onAgain}>
          Try again
        </button>
      )}
    </div>
  )
}
