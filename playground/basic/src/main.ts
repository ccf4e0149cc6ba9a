import { createCard, setUsable } from './card.ts'
import { between } from './demos/between.ts'
import { calls } from './demos/calls.ts'
import { functions } from './demos/functions.ts'
import { state } from './demos/state.ts'
import './style.css'

const demos = [...functions, ...state, ...calls, ...between]
const cards = demos.map(createCard)
document.querySelector('main')?.append(...cards.map((card) => card.element))

const list = document.querySelector('nav ol')
for (const { id, title } of demos) {
  const link = document.createElement('a')
  link.href = `#${id}`
  link.textContent = title
  const item = document.createElement('li')
  item.append(link)
  list?.append(item)
}

const runAll = document.querySelector<HTMLButtonElement>('#run-all')
runAll?.addEventListener('click', async () => {
  if (runAll.ariaDisabled === 'true') return
  setUsable(runAll, false)
  // One after the other, so that the times on the page say something. The wait that is there to be aborted is left out.
  for (const [index, card] of cards.entries()) if (demos[index]?.id !== 'abort') await card.run()
  setUsable(runAll, true)
})
