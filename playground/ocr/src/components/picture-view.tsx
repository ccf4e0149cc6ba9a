import { toSize } from '../problems.ts'
import type { Reading } from '../use-reading.ts'

interface Props {
  reading: Reading
  lit: number | undefined
  onLit: (line?: number) => void
  onPick: (line: number) => void
}

/** The picture with a box over each line that was read; what is still to come lies in shade. */
export function PictureView({ reading, lit, onLit, onPick }: Props) {
  const { picture, lines, phase } = reading
  if (!picture) return null
  const { file, url, size } = picture
  return (
    <figure className="picture">
      <div className="picture-frame">
        <img src={url} alt={`Your picture, ${file.name}`} />
        {size && (
          <svg viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true" data-testid="boxes">
            {lines.map((line, index) => (
              <polygon
                key={index}
                points={line.box.join(' ')}
                data-lit={lit === index || undefined}
                onPointerEnter={() => onLit(index)}
                onPointerLeave={() => onLit()}
                onClick={() => onPick(index)}
              />
            ))}
          </svg>
        )}
        {phase === 'reading' && <div className="shade" style={{ top: `${findEdge(reading)}%` }} />}
      </div>
      <figcaption>
        {file.name}
        <span>
          {size && `${size.width} × ${size.height}, `}
          {toSize(file.size)}
        </span>
      </figcaption>
    </figure>
  )
}

/** How far down the picture has been read, in percent. */
function findEdge({ picture, lines }: Reading): number {
  const last = lines.at(-1)
  if (!last || !picture?.size) return 0
  return (Math.max(...last.box.map(([, y]) => y)) / picture.size.height) * 100
}
