/** Which endpoint of the loopback Hub answers a request. */
import { answerOf, redirect, Refusal, type Answer } from './answers'
import * as lfs from './lfs'
import * as reading from './reading'
import type { Call, HubState, Place } from './state'
import * as writing from './writing'

type Endpoint = (hub: HubState, call: Call, place: Place) => Answer

const id = '(?<id>[^/]+/[^/]+|[^/]+)'
const api = `/api/(?<kind>models|datasets)/${id}`
const page = `/(?:(?<kind>datasets)/)?${id}`
/** Slashes of a revision are encoded; these revisions the Hub takes as they are, too. */
const revision = '(?<revision>refs/(?:convert|pr)/[^/]+|[^/]+)'
const object = '(?<object>[0-9a-f]+)'

const read = ['GET', 'HEAD']

/** The first that fits answers. */
const routes: readonly (readonly [methods: readonly string[], pattern: RegExp, endpoint: Endpoint])[] = [
  route(read, '/api/whoami-v2', reading.whoAmI),
  route(['POST'], '/api/repos/create', writing.create),
  route(['POST'], '/api/validate-yaml', writing.validateYaml),
  route(read, `${api}/refs`, reading.references),
  route(read, `${api}/revision/${revision}`, reading.information),
  route(read, `${api}/commits/${revision}`, reading.commits),
  route(read, `${api}/tree/${revision}(?:/(?<path>.*))?`, reading.tree),
  route(['POST'], `${api}/paths-info/${revision}`, reading.pathsInfo),
  route(['POST'], `${api}/preupload/${revision}`, writing.preupload),
  route(['POST'], `${api}/commit/${revision}`, writing.commit),
  route(['POST'], `${api}/branch/(?<revision>.+)`, writing.createBranch),
  route(read, api, reading.information),
  route(['PUT'], `/lfs/objects/${object}`, lfs.put),
  route(['POST'], `/lfs/objects/${object}/verify`, lfs.verify),
  route(['PUT'], `/lfs/uploads/${object}/(?<path>\\d+)`, lfs.putPart),
  route(['POST'], `/lfs/uploads/${object}`, lfs.complete),
  route(read, `/cdn/${object}`, reading.cdn),
  route(['POST'], `${page}\\.git/info/lfs/objects/batch`, lfs.batch),
  route(read, `${page}/resolve/${revision}/(?<path>.+)`, reading.resolve),
  route(read, `${page}/raw/${revision}/(?<path>.+)`, reading.raw),
]

function route(methods: readonly string[], pattern: string, endpoint: Endpoint): (typeof routes)[number] {
  return [methods, new RegExp(`^${pattern}$`), endpoint]
}

export function answer(hub: HubState, call: Omit<Call, 'account' | 'query'>): Answer {
  const [path = '', search] = call.path.split('?')
  try {
    for (const [methods, pattern, endpoint] of routes) {
      const match = methods.includes(call.method) ? pattern.exec(path) : null
      if (match === null) continue
      const place = placeOf(match.groups ?? {})
      const moved = movedTo(hub, place, call.path)
      if (moved !== undefined) return redirect(307, moved)
      const account = hub.account(call.headers.authorization)
      return endpoint(hub, { ...call, account, query: new URLSearchParams(search) }, place)
    }
    throw new Refusal(404, undefined, `no such endpoint: ${call.method} ${path}`)
  } catch (error) {
    if (error instanceof Refusal) return answerOf(error)
    return answerOf(new Refusal(error instanceof SyntaxError ? 400 : 500, undefined, String(error)))
  }
}

function placeOf(pieces: Readonly<Record<string, string | undefined>>): Place {
  const piece = (name: string): string => decodeURIComponent(pieces[name] ?? '')
  const kind = pieces.kind === 'datasets' ? 'dataset' : 'model'
  return { kind, id: piece('id'), revision: piece('revision'), path: piece('path'), object: piece('object') }
}

/** The same request under the name that a repository has now. */
function movedTo(hub: HubState, { kind, id }: Place, path: string): string | undefined {
  const renamed = hub.renamed.get(`${kind}/${id}`)
  if (renamed === undefined || hub.find(kind, id) !== undefined) return undefined
  const location = path.replace(`/${id}`, () => `/${renamed.to}`)
  return renamed.other ? `${hub.otherUrl}${location}` : location
}
