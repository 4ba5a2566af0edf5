// which configuration of a dataset is meant, and which files are its
import { nearest, TrainerError } from '../errors'
import type { Card, Configuration } from './card'
import { matchingPaths } from './patterns'

/** The configuration that is meant; undefined for a card that does not name any. */
export function chooseConfiguration(card: Card, place: string, wanted: string | undefined): Configuration | undefined {
  const { configurations } = card
  if (configurations.length === 0) return undefined
  const names = configurations.map(({ name }) => name)
  const found =
    wanted === undefined ? usualOf(configurations, place) : configurations.find(({ name }) => name === wanted)
  if (found === undefined) throw noConfiguration(place, wanted, names)
  return found
}

/** The only one, the one called default, or the one that says so. */
function usualOf(configurations: readonly Configuration[], place: string): Configuration | undefined {
  if (configurations.length === 1) return configurations[0]
  const usual = configurations.filter(({ name, isDefault }) => isDefault || name === 'default')
  if (usual.length < 2) return usual[0]
  const names = usual.map(({ name }) => name)
  throw severalConfigurations(place, names, `${place} calls ${names.join(' and ')} its default.`)
}

/** Files that are named outright belong to no configuration: its name may be meant for a split. */
export function needlessConfiguration(why: string, name: string): TrainerError {
  return new TrainerError('argument', `${why}, so that the configuration '${name}' chooses nothing.`, {
    fix: `Leave it out; for a split write split: '${name}'.`,
  })
}

/** The error for a configuration that does not exist, or when none is named and none is the usual one. */
export function noConfiguration(place: string, wanted: string | undefined, names: readonly string[]): TrainerError {
  if (wanted === undefined) return severalConfigurations(place, names)
  const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
  const close = nearest(wanted, names)
  return new TrainerError(
    'argument',
    `${place} has no configuration '${wanted}'; ${there}.`,
    close === undefined ? undefined : { fix: `Did you mean '${close}'?` },
  )
}

/** @param problem what came of there being several. */
export function severalConfigurations(place: string, names: readonly string[], problem?: string): TrainerError {
  const several = `${place} has several configurations: ${names.join(', ')}.`
  return new TrainerError('argument', problem === undefined ? several : `${problem} ${several}`, {
    fix: `Name one: loadDataset('${place}', '${names[0]}').`,
  })
}

/** The folders that hold data files, directly or in `data/`. */
export function configurationFolders(paths: readonly string[]): string[] {
  const folders = paths.map(path => path.replace(/^data\//, '').split('/')).filter(parts => parts.length > 1)
  return [...new Set(folders.map(([folder]) => folder!))].sort()
}

/**
 * The files of a configuration that no card names: those of its folder or of that in `data/`, else those whose names
 * begin with it. @returns their folder, and their paths from there.
 */
export function configurationPaths(
  paths: readonly string[],
  place: string,
  configuration: string,
): [folder: string, paths: readonly string[]] {
  const name = configuration.replace(/^\/+|\/+$/g, '')
  for (const folder of [name, `data/${name}`]) {
    const below = paths.filter(path => path.startsWith(`${folder}/`))
    if (below.length > 0) return [folder, below.map(path => path.slice(folder.length + 1))]
  }
  const prefixed = [`${name}[-_]*`, `data/${name}[-_]*`].flatMap(pattern => matchingPaths(pattern, paths))
  if (prefixed.length > 0) return ['', prefixed]
  if (configuration === 'default') return ['', paths]
  throw noConfiguration(place, configuration, configurationFolders(paths))
}
