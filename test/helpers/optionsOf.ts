import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')

/** A function or method of the package that takes options: its name with the parameter's, and the options' names. */
export interface TakesOptions {
  readonly name: string
  readonly options: readonly string[]
}

/** Parameters whose type is data, or what others implement: not options of a call. */
const data =
  /^(?:Graph|GatherHint|Padder|Masker|Head|Node<.*|Inverse|Model<.*|Optimizer|EvalPrediction|CallbackContext|EventContext|Pick<CallbackContext, .*|LossOptions|ModelSource|ModelWithTokenizer|PreTrainedSource)$/

/**
 * Every function, public constructor and public method that src/index.ts exports, and every method of the interfaces that it
 * hands out, which has a parameter of options: an object at least one of whose properties may be left out.
 */
export function functionsWithOptions(): TakesOptions[] {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), path => ts.sys.readFile(path)).config as object
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram([join(root, 'src/index.ts')], options)
  const checker = program.getTypeChecker()
  const index = program.getSourceFile(join(root, 'src/index.ts'))!
  const found = new Map<string, Set<string>>()

  const take = (name: string, type: ts.Type): void => {
    for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()]) {
      if (signature.declaration !== undefined && isHidden(signature.declaration)) continue
      for (const [place, parameter] of signature.getParameters().entries()) {
        const names = optionNames(checker, checker.getTypeOfSymbolAtLocation(parameter, index))
        if (names.length > 0)
          found.set(`${name}/${place}`, new Set([...(found.get(`${name}/${place}`) ?? []), ...names]))
      }
    }
  }
  for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(index)!)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    if (symbol.flags & ts.SymbolFlags.Value) {
      const type = checker.getTypeOfSymbolAtLocation(symbol, index)
      take(exported.name, type)
      for (const member of ownMembers(type)) take(`${exported.name}.${member.name}`, checker.getTypeOfSymbol(member))
    }
    if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) {
      const type = checker.getDeclaredTypeOfSymbol(symbol)
      take(exported.name, type)
      for (const member of ownMembers(type)) take(`${exported.name}#${member.name}`, checker.getTypeOfSymbol(member))
    }
  }
  return [...found].map(([name, names]) => ({ name, options: [...names] }))
}

/** Public members that are declared in src. */
function ownMembers(type: ts.Type): ts.Symbol[] {
  return type.getProperties().filter(({ declarations = [] }) =>
    declarations.some(declaration => {
      const isPrivate = 'name' in declaration && ts.isPrivateIdentifier(declaration.name as ts.Node)
      return !isHidden(declaration) && !isPrivate && declaration.getSourceFile().fileName.startsWith(join(root, 'src'))
    }),
  )
}

function isHidden(declaration: ts.Declaration): boolean {
  return (ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0
}

/** The names of the options that a parameter takes; none if it is something else. */
function optionNames(checker: ts.TypeChecker, parameter: ts.Type): string[] {
  const type = checker.getNonNullableType(parameter)
  return (type.isUnion() ? type.types : [type]).flatMap(part => {
    const isObject = (part.flags & ts.TypeFlags.Object) !== 0 || part.isIntersection()
    const isOther =
      checker.isArrayType(part) ||
      checker.isTupleType(part) ||
      part.getCallSignatures().length > 0 ||
      part.getStringIndexType() !== undefined ||
      ((part.symbol as ts.Symbol | undefined)?.flags ?? 0) & ts.SymbolFlags.Class
    if (!isObject || isOther || data.test(checker.typeToString(part))) return []
    const properties = part.getProperties()
    const isOptional = ({ flags }: ts.Symbol): boolean => (flags & ts.SymbolFlags.Optional) !== 0
    return properties.some(isOptional) ? properties.map(({ name }) => name) : []
  })
}
