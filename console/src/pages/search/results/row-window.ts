import { type RefObject, useEffect, useLayoutEffect, useState } from 'react'

/** Browsers lay out elements up to 17 million pixels high; a longer list is scrolled faster. */
const MAX_HEIGHT = 15_000_000
const OVERSCAN = 10

export interface RowWindow {
  /** Height of all rows, for the scrollbar. */
  readonly height: number
  readonly first: number
  /** The one after the last row. */
  readonly end: number
  /** Where a row of the window is, in pixels from the top. */
  topOf(index: number): number
}

interface Place {
  readonly top: number
  readonly height: number
}

/** Which rows of equal height are in view. */
export function useRowWindow(scroll: RefObject<HTMLElement | null>, count: number, rowHeight: number): RowWindow {
  const [place, setPlace] = useState<Place>({ top: 0, height: 600 })
  useLayoutEffect(() => {
    const element = scroll.current
    if (element) setPlace({ top: element.scrollTop, height: element.clientHeight })
  }, [scroll])
  useEffect(() => {
    const element = scroll.current
    if (!element) return
    let frame = 0
    const look = () => {
      frame = 0
      setPlace({ top: element.scrollTop, height: element.clientHeight })
    }
    const later = () => {
      frame ||= requestAnimationFrame(look)
    }
    const sizes = new ResizeObserver(later)
    sizes.observe(element)
    element.addEventListener('scroll', later, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      sizes.disconnect()
      element.removeEventListener('scroll', later)
    }
  }, [scroll])
  return windowAt(place, count, rowHeight)
}

/** The window of a list that is scrolled to a place. */
export function windowAt({ top, height: viewHeight }: Place, count: number, rowHeight: number): RowWindow {
  const full = count * rowHeight
  const height = Math.min(full, MAX_HEIGHT)
  const scale = height > viewHeight ? (full - viewHeight) / (height - viewHeight) : 1
  const at = Math.max(0, Math.min(top * scale, full - viewHeight))
  const first = Math.max(0, Math.floor(at / rowHeight) - OVERSCAN)
  const end = Math.min(count, Math.ceil((at + viewHeight) / rowHeight) + OVERSCAN)
  // Equal to the row's place in the whole list, unless that is too high.
  const shift = scale === 1 ? 0 : Math.round(Math.min(top, height - viewHeight) - at)
  return { height, first, end, topOf: (index) => index * rowHeight + shift }
}
