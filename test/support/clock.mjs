// Loaded with `--import file:…/clock.mjs?ahead=MILLISECONDS`: the process and its threads believe that it is so much later, or earlier.
const ahead = Number(new URL(import.meta.url).searchParams.get('ahead'))
const RealDate = globalThis.Date
class ShiftedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + ahead)
    else super(...given)
  }

  static now() {
    return RealDate.now() + ahead
  }
}

globalThis.Date = ShiftedDate
