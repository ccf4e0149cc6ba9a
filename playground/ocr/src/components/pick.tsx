import { type ChangeEvent, useId } from 'react'
import { pictureTypes } from '../problems.ts'

/** A file input that looks like a button. */
export function Pick({
  children,
  plain,
  onFile,
}: {
  children: string
  plain?: boolean
  onFile: (file: File) => void
}) {
  const id = useId()
  const take = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0]
    // Emptied, so that the same file can be chosen again.
    event.target.value = ''
    if (file) onFile(file)
  }
  return (
    <span className="pick">
      <input className="unseen" id={id} type="file" accept={pictureTypes.join()} onChange={take} />
      <label className={plain ? 'button' : 'button button-main'} htmlFor={id}>
        {children}
      </label>
    </span>
  )
}
