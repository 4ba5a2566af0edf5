// MLflow's environment variables, and those of Hugging Face's integration
import { TrainerError } from '../../errors'
import { isOn, variable } from '../environment'
import { serverAddress } from '../Service'

/** What the environment says. */
export interface MLflowSettings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  readonly experimentName: string | undefined
  readonly experimentId: string | undefined
  /** The run to attach to. */
  readonly runId: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly flattensParams: boolean
  readonly mostParams: number
}

/** What cannot be honoured here, and what can be done instead. */
const refused: Readonly<Record<string, string>> = {
  HF_MLFLOW_LOG_ARTIFACTS: 'checkpoints are not sent to MLflow. Unset it, and copy the output folder yourself.',
  MLFLOW_NESTED_RUN:
    'a run is nested in one that is active in the process, and there is none here. Unset it, and name the parent: MLFLOW_TAGS=\'{"mlflow.parentRunId": "ID"}\'.',
  MLFLOW_TRACKING_INSECURE_TLS:
    'certificates are always checked. Unset it, and name the certificate authority in NODE_EXTRA_CA_CERTS.',
  DISABLE_MLFLOW_INTEGRATION: 'reportTo asks for MLflow. Unset it, or leave mlflow out of reportTo.',
}

/** Whether `reportTo: 'all'` means MLflow. */
export function isMLflowHere(): boolean {
  return variable('MLFLOW_TRACKING_URI') !== undefined && !isOn('DISABLE_MLFLOW_INTEGRATION')
}

/** Reads the environment. @throws TrainerError (`argument`) for what cannot be honoured, with what to do. */
export function mlflowSettings(): MLflowSettings {
  for (const [name, why] of Object.entries(refused))
    if (isOn(name)) throw new TrainerError('argument', `${name} is refused: ${why}`)
  const most = variable('MLFLOW_MAX_LOG_PARAMS') ?? ''
  const { url, user, password } = serverFrom(variable('MLFLOW_TRACKING_URI'))
  const credentials = {
    user: variable('MLFLOW_TRACKING_USERNAME') ?? user,
    password: variable('MLFLOW_TRACKING_PASSWORD') ?? password,
    token: variable('MLFLOW_TRACKING_TOKEN') ?? '',
  }
  return {
    url,
    ...authorized(credentials),
    experimentName: variable('MLFLOW_EXPERIMENT_NAME'),
    experimentId: variable('MLFLOW_EXPERIMENT_ID'),
    runId: variable('MLFLOW_RUN_ID'),
    tags: tagsOf(variable('MLFLOW_TAGS')),
    flattensParams: isOn('MLFLOW_FLATTEN_PARAMS'),
    mostParams: /^\d+$/.test(most) ? Number(most) : Infinity,
  }
}

function serverFrom(uri: string | undefined): ReturnType<typeof serverAddress> {
  const fix = 'Start a server with `mlflow server --port 5000`, and set MLFLOW_TRACKING_URI=http://127.0.0.1:5000.'
  if (uri === undefined)
    throw new TrainerError('argument', 'MLflow needs MLFLOW_TRACKING_URI, the address of its server.', { fix })
  if (/^https?:\/\//.test(uri)) return serverAddress(uri, 'MLFLOW_TRACKING_URI')
  const kind = /^([\w+.-]+):/.exec(uri)?.[1] ?? (uri === 'databricks' ? uri : 'a path')
  throw new TrainerError(
    'argument',
    `MLFLOW_TRACKING_URI is ${kind === 'a path' ? kind : `of the kind ${kind}`}, but MLflow is reached here at a server (http or https) only.`,
    { fix: kind.startsWith('databricks') ? 'Leave mlflow out of reportTo.' : fix },
  )
}

/** The header that Python's client sends: user and password before a token. */
function authorized(given: {
  user: string
  password: string
  token: string
}): Pick<MLflowSettings, 'headers' | 'secrets'> {
  const { user, password, token } = given
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  if (user !== '' && password !== '')
    return { headers: { authorization: `Basic ${basic}` }, secrets: [password, basic] }
  return token === ''
    ? { headers: {}, secrets: [] }
    : { headers: { authorization: `Bearer ${token}` }, secrets: [token] }
}

function tagsOf(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined) return {}
  try {
    const read = JSON.parse(text) as Readonly<Record<string, unknown>>
    if (typeof read === 'object' && read !== null && !Array.isArray(read))
      return Object.fromEntries(Object.entries(read).map(([key, value]) => [key, String(value)]))
  } catch {
    // said below
  }
  throw new TrainerError('argument', `MLFLOW_TAGS should be an object of JSON, but is ${text}.`, {
    fix: 'Write MLFLOW_TAGS=\'{"stage": "trial"}\'.',
  })
}
