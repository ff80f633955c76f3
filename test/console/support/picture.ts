import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'

/** Pixels of the page that become one of the picture. What is smaller, such as the shape of letters, differs between machines. */
const BLOCK = 8
/** Difference of one colour, of 255, from which on a pixel counts as another one. */
const OTHER = 32

/** The page as it looks, reduced to one pixel for each block of 8 × 8, as a PNG. */
export async function pictureOf(page: Page): Promise<Buffer> {
  const canvas = await blank(page)
  const url = (await canvas.evaluate(
    called(REDUCE, [await page.screenshot({ animations: 'disabled' }), BLOCK].map(asText)),
  )) as string
  await canvas.close()
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}

/** The share of pixels in which a picture differs from one that was kept. 1 if their sizes differ. */
export async function difference(page: Page, picture: Buffer, keptPath: string): Promise<number> {
  const canvas = await blank(page)
  const share = (await canvas.evaluate(called(COMPARE, [picture, readFileSync(keptPath), OTHER].map(asText)))) as number
  await canvas.close()
  return share
}

/** A page without a policy that would refuse pictures from here. */
async function blank(page: Page): Promise<Page> {
  const canvas = await page.context().newPage()
  await canvas.goto('about:blank')
  return canvas
}

const asText = (value: Buffer | number): string =>
  typeof value === 'number' ? String(value) : `data:image/png;base64,${value.toString('base64')}`

/** A page runs text, since these functions use what only pages have. */
const called = (text: string, given: readonly string[]) => `(${text})(${JSON.stringify(given)})`

const LOAD = `const pixelsOf = async (url, scale) => {
  const image = new Image()
  image.src = url
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = Math.floor(image.width / scale)
  canvas.height = Math.floor(image.height / scale)
  const context = canvas.getContext('2d')
  context.imageSmoothingQuality = 'high'
  context.drawImage(image, 0, 0, canvas.width, canvas.height)
  return { canvas, context }
}`

const REDUCE = `async ([url, scale]) => { ${LOAD}; return (await pixelsOf(url, Number(scale))).canvas.toDataURL('image/png') }`

const COMPARE = `async ([url, keptUrl, other]) => {
  ${LOAD}
  const [now, kept] = [await pixelsOf(url, 1), await pixelsOf(keptUrl, 1)]
  const { width, height } = now.canvas
  if (width !== kept.canvas.width || height !== kept.canvas.height) return 1
  const [a, b] = [now, kept].map(({ context }) => context.getImageData(0, 0, width, height).data)
  let differing = 0
  for (let i = 0; i < a.length; i += 4)
    if (Math.max(...[0, 1, 2].map((k) => Math.abs(a[i + k] - b[i + k]))) > Number(other)) differing++
  return differing / (width * height)
}`
