import { Pick } from './pick.tsx'

/** What the page shows before there is a picture. */
export function Intake({ onFile, onSample }: { onFile: (file: File) => void; onSample: () => void }) {
  return (
    <section className="intake" aria-labelledby="intake-title">
      <svg className="intake-art" viewBox="0 0 120 150" aria-hidden="true">
        <path
          className="art-paper"
          d="M14 6h92v136l-11.5-8-11.5 8-11.5-8-11.5 8-11.5-8-11.5 8-11.5-8-11.5 8z"
        />
        <path className="art-mark" d="M26 88h68v16H26z" />
        <path
          className="art-print"
          d="M40 26h40M28 46h34M80 46h12M28 60h26M80 60h12M28 74h38M80 74h12M28 96h22M74 96h18M44 118h32"
        />
      </svg>
      <div>
        <h2 id="intake-title">Drop a picture of a receipt here</h2>
        <p>You can also paste one. JPEG, PNG, WebP, GIF or AVIF, up to 7 MB.</p>
        <div className="actions">
          <Pick onFile={onFile}>Choose a picture</Pick>
          <button type="button" className="button" onClick={onSample}>
            Try the sample
          </button>
        </div>
      </div>
    </section>
  )
}
