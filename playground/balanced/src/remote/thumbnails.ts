import { remote } from 'unplugin-flash'
import { resize } from '../api/images.ts'

/** One picture in several widths: a job on a queue, which asks the load-balanced endpoint for each of them. */
export const thumbnails = remote({ name: 'thumbnails' }, async (picture: File, widths: number[]) =>
  Promise.all(
    widths.map(async (width) => {
      const answer = await resize({ params: { width }, query: { format: 'webp' }, body: picture })
      return new File([await answer.blob()], `${width}.webp`, { type: 'image/webp' })
    }),
  ),
)
