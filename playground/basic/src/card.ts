import type { Demo, Field, Stage } from './demo.ts'
import { format, formatError } from './format.ts'
import { findSource } from './sources.ts'

/** A section of the page, and the same as its button for code. */
export interface Card {
  element: HTMLElement
  run(): Promise<void>
}

type State = 'idle' | 'running' | 'done' | 'failed'

export function createCard(demo: Demo): Card {
  const title = make('h2', { id: demo.id, textContent: demo.title })
  const runButton = make('button', { type: 'button', className: 'run', textContent: 'Run' })
  const stopButton = make('button', { type: 'button', textContent: 'Stop' })
  runButton.setAttribute('aria-label', `Run ${demo.title}`)
  stopButton.setAttribute('aria-label', `Stop ${demo.title}`)
  const bar = make('progress', { hidden: true })
  bar.setAttribute('aria-label', `Progress of ${demo.title}`)
  const result = make('output', { className: 'result', textContent: 'Not run yet' })
  result.setAttribute('aria-label', `Result of ${demo.title}`)
  const took = make('span', { className: 'took' })

  const controls = make('div', { className: 'controls' })
  const inputs = (demo.fields ?? []).map((field) => addField(controls, demo.id, field))
  controls.append(runButton, ...(demo.stoppable ? [stopButton] : []), took)

  const element = make('section')
  element.setAttribute('aria-labelledby', demo.id)
  element.dataset.testid = demo.id
  const left = make('div', { className: 'try' })
  left.append(title, make('p', { textContent: demo.about }), makeCode(demo.call), controls, bar, result)
  element.append(left, makeSources(demo))

  let stop = new AbortController()
  const setState = (state: State) => {
    element.dataset.state = state
    setUsable(runButton, state !== 'running')
    setUsable(stopButton, state === 'running')
  }
  setState('idle')

  const run = async () => {
    if (element.dataset.state === 'running') return
    stop = new AbortController()
    const started = performance.now()
    const stage = createStage(inputs, stop.signal, result, bar)
    result.textContent = ''
    took.textContent = ''
    setState('running')
    const [state, text] = await settle(demo, stage)
    stage.write(text)
    bar.hidden = true
    took.textContent = `${Math.round(performance.now() - started)} ms`
    setState(state)
  }
  runButton.addEventListener('click', run)
  stopButton.addEventListener('click', () =>
    stop.abort(new DOMException('stopped on this page', 'AbortError')),
  )
  return { element, run }
}

async function settle(demo: Demo, stage: Stage): Promise<[State, string]> {
  try {
    const value = await demo.run(stage)
    return ['done', value === undefined ? '' : format(value)]
  } catch (error) {
    return ['failed', formatError(error)]
  }
}

/** Says that a button has no use now. A disabled one would lose the keyboard's focus. */
export function setUsable(button: HTMLButtonElement, usable: boolean): void {
  button.setAttribute('aria-disabled', String(!usable))
}

function createStage(
  inputs: HTMLInputElement[],
  signal: AbortSignal,
  result: HTMLElement,
  bar: HTMLProgressElement,
): Stage {
  return {
    signal,
    field: (name) => inputs.find((input) => input.name === name)?.value ?? '',
    write: (text) => result.append(text),
    progress(done, total) {
      bar.hidden = false
      bar.max = total
      bar.value = done
    },
  }
}

function addField(
  controls: HTMLElement,
  id: string,
  { name, label, value, type = 'text' }: Field,
): HTMLInputElement {
  const input = make('input', { id: `${id}-${name}`, name, value, type, autocomplete: 'off' })
  controls.append(make('label', { htmlFor: input.id, textContent: label }), input)
  return input
}

function makeCode(text: string): HTMLElement {
  const line = make('p', { className: 'call' })
  line.append(make('code', { textContent: text }))
  return line
}

function makeSources({ files }: Demo): HTMLElement {
  const sources = make('div', { className: 'sources' })
  for (const file of files) {
    const caption = make('figcaption')
    caption.append(make('code', { textContent: `src/${file}` }))
    const block = make('pre', { tabIndex: 0 })
    block.setAttribute('role', 'region')
    block.setAttribute('aria-label', `Source of src/${file}`)
    block.append(make('code', { textContent: findSource(file).trimEnd() }))
    const figure = make('figure')
    figure.append(caption, block)
    sources.append(figure)
  }
  return sources
}

function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
): HTMLElementTagNameMap[Tag] {
  return Object.assign(document.createElement(tag), properties)
}
