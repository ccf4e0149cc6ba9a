import { useEffect, useState } from 'react'

/** Takes a file that is dropped or pasted anywhere on the page; tells whether one is held over it. */
export function useIncomingFile(onFile: (file: File) => void): boolean {
  const [held, setHeld] = useState(false)
  useEffect(() => {
    const listeners = new AbortController()
    const on = <Name extends keyof DocumentEventMap>(
      name: Name,
      listener: (event: DocumentEventMap[Name]) => void,
    ) => document.addEventListener(name, listener, { signal: listeners.signal })
    const take = (event: Event, files: FileList | undefined) => {
      const file = files?.[0]
      setHeld(false)
      if (!file) return
      event.preventDefault()
      onFile(file)
    }
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setHeld(true)
    })
    // Leaving the window is the only leave without a place it goes to.
    on('dragleave', (event) => event.relatedTarget === null && setHeld(false))
    on('drop', (event) => take(event, event.dataTransfer?.files))
    on('paste', (event) => take(event, event.clipboardData?.files))
    return () => listeners.abort()
  }, [onFile])
  return held
}
