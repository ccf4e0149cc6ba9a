/** A picture to begin with: nobody has to look for a file. */
export async function draw(): Promise<File> {
  const canvas = new OffscreenCanvas(800, 600)
  const context = canvas.getContext('2d')!
  const sky = context.createLinearGradient(0, 0, 0, canvas.height)
  sky.addColorStop(0, '#0b5d4f')
  sky.addColorStop(1, '#f2c57c')
  context.fillStyle = sky
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#fff4'
  for (let at = 0; at < 12; at++) {
    context.beginPath()
    context.arc(400, 600, 60 * at, 0, Math.PI, true)
    context.fill()
  }
  return new File([await canvas.convertToBlob({ type: 'image/png' })], 'drawn.png', { type: 'image/png' })
}
