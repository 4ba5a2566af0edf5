import { frame, message, writeInteger, writeText } from '../../src/protobuf'
import { protoFields } from '../../src/onnx/wire'
import { createData } from '../../src/tensor'

/** What a model is put together from; opset 18 and nothing else unless given. */
export interface ModelParts {
  opset?: number
  nodes?: Uint8Array[]
  initializers?: Uint8Array[]
  inputs?: Uint8Array[]
  outputs?: Uint8Array[]
}

export function modelBytes({
  opset = 18,
  nodes = [],
  initializers = [],
  inputs = [],
  outputs = [],
}: ModelParts): Uint8Array {
  const { graph, model: fields } = protoFields
  const body = message(writer => {
    for (const [field, parts] of [
      [graph.node, nodes],
      [graph.initializer, initializers],
      [graph.input, inputs],
      [graph.output, outputs],
    ] as const) {
      for (const part of parts) {
        writer.writeTag(field, 2)
        writer.writeBytes(part)
      }
    }
  })
  const head = message(writer => {
    writeInteger(writer, fields.irVersion, 8)
    writer.writeMessage(fields.opsetImport, () => writeInteger(writer, protoFields.opset.version, opset), undefined)
  })
  return Uint8Array.from([...head, ...frame(fields.graph, body.length), ...body])
}

export function nodeBytes(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, number | string> = {},
  domain = '',
): Uint8Array {
  const { node: fields, attribute } = protoFields
  return message(writer => {
    for (const input of inputs) writeText(writer, fields.input, input)
    for (const output of outputs) writeText(writer, fields.output, output)
    writeText(writer, fields.name, `n_${outputs[0]}`)
    writeText(writer, fields.opType, op)
    for (const [name, value] of Object.entries(attributes)) {
      writer.writeMessage(
        fields.attribute,
        () => {
          writeText(writer, attribute.name, name)
          if (typeof value === 'number') writeInteger(writer, attribute.int, value)
          else writeText(writer, attribute.string, value)
        },
        undefined,
      )
    }
    writeText(writer, fields.domain, domain)
  })
}

export function valueInfo(name: string, shape: readonly (number | string)[]): Uint8Array {
  const { valueInfo: fields, type, tensorType, shape: shapeFields, dimension } = protoFields
  return message(writer => {
    writeText(writer, fields.name, name)
    writer.writeMessage(
      fields.type,
      () =>
        writer.writeMessage(
          type.tensor,
          () => {
            writeInteger(writer, tensorType.elementType, 1)
            writer.writeMessage(
              tensorType.shape,
              () => {
                for (const length of shape) {
                  writer.writeMessage(
                    shapeFields.dimension,
                    () => {
                      if (typeof length === 'number') writeInteger(writer, dimension.value, length)
                      else writeText(writer, dimension.parameter, length)
                    },
                    undefined,
                  )
                }
              },
              undefined,
            )
          },
          undefined,
        ),
      undefined,
    )
  })
}

export function tensorHead(dims: number[]): Uint8Array {
  const fields = protoFields.tensor
  return message(writer => {
    for (const length of dims) writeInteger(writer, fields.dims, length)
    writeInteger(writer, fields.dataType, 1)
    writeText(writer, fields.name, 't')
    writer.writeTag(fields.rawData, 2)
    writer.writeBytes(new Uint8Array(createData('float32', 1).buffer))
  })
}
