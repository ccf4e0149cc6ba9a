/** The bytes of a part, read when it is a blob. */
export async function readPart(part: Uint8Array | Blob): Promise<Uint8Array> {
  if (part instanceof Uint8Array) return part
  if (typeof part.arrayBuffer === 'function') return new Uint8Array(await part.arrayBuffer())
  // jsdom's Blob has no reading methods of its own.
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener('load', () => resolve(new Uint8Array(reader.result as ArrayBuffer)))
    reader.addEventListener('error', () => reject(reader.error))
    reader.readAsArrayBuffer(part)
  })
}
