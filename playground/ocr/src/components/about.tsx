/** What happens behind the page, for whoever wonders. */
export function About() {
  return (
    <footer className="about">
      <p>
        The page calls <code>read(picture)</code>, a function in <code>src/receipt.ts</code>. It runs in a
        worker process that keeps PaddleOCR loaded; its code never reaches the browser, and the picture never
        leaves this machine.
      </p>
      <p>Change that file while the page is open: the next picture is read by the new code.</p>
    </footer>
  )
}
