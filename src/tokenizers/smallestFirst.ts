// a queue that gives the smallest number first

export interface NumberQueue {
  push(key: number): void
  pop(): number | undefined
}

/** A binary heap of numbers. */
export function smallestFirst(): NumberQueue {
  const heap: number[] = []
  const swap = (a: number, b: number): void => {
    const key = heap[a]!
    heap[a] = heap[b]!
    heap[b] = key
  }
  const smallerChild = (place: number): number => {
    const left = 2 * place + 1
    return left + 1 < heap.length && heap[left + 1]! < heap[left]! ? left + 1 : left
  }
  return {
    push(key) {
      let place = heap.push(key) - 1
      for (let above = (place - 1) >> 1; place > 0 && heap[place]! < heap[above]!; above = (place - 1) >> 1) {
        swap(place, above)
        place = above
      }
    },
    pop() {
      const first = heap[0]
      const last = heap.pop()
      if (heap.length === 0 || last === undefined) return first
      heap[0] = last
      let place = 0
      for (let child = smallerChild(0); child < heap.length && heap[child]! < heap[place]!;) {
        swap(place, child)
        place = child
        child = smallerChild(place)
      }
      return first
    },
  }
}
