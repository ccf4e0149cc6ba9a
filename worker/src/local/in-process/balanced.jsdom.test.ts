// @vitest-environment jsdom
import { expect, test } from 'vitest'
// All that holds in Node holds where a test stands in for a page.
import './balanced.test.ts'

test('this is a page', () => expect(document.body).toBeInstanceOf(HTMLElement))
