-- Quarto's meaning of Markdown for pandoc's writers. What has no meaning here stops the render.

local folder = pandoc.path.directory(PANDOC_SCRIPT_FILE)

local function part(name, ...)
  return assert(loadfile(pandoc.path.join { folder, name .. '.lua' }))(...)
end

local common = part 'common'
local numbers = part('numbers', common, part('blocks', common))
local finish = part('finish', common, numbers)
local is_html, plain, refuse = common.is_html, common.plain, common.refuse

-- What the author wrote that one of the two formats would lose, or that was not understood.
local refusals = {
  RawBlock = function(el)
    if el.format == 'html' and el.text:match '^%s*<!%-%-' then return {} end
    refuse(el.text:match '[^\n]+', 'raw ' .. el.format .. ' is not honoured: it would be lost in the other format.')
  end,
  RawInline = function(el)
    if el.format == 'html' and el.text:match '^%s*<!%-%-' then return {} end
    refuse(el.text, 'raw ' .. el.format .. ' is not honoured: it would be lost in the other format.')
  end,
  Str = function(el)
    local note = el.text:match '%[%^[^%]%s]+%]'
    if note then refuse(note, 'the footnote ' .. note .. ' has no text.') end
    if el.text:match '^:::' then
      refuse(el.text, 'this div fence was not understood; an empty line before it may be missing.')
    end
  end,
}

-- The div around a cell says nothing to a reader, and pandoc lists no heading that stands in a div.
local function unwrapped(el)
  if el.classes:includes 'cell' then return el.content end
end

function Pandoc(doc)
  local options = doc.meta.renderer
  numbers.numbered = plain(options.numbered) == 'true'
  finish.cites = plain(options.cites) == 'true'
  for _, page in ipairs(options.pages) do finish.pages[plain(page)] = true end
  doc = doc:walk(refusals)
  doc.blocks = doc.blocks:walk { Div = unwrapped }
  numbers.top_level = 7
  doc.blocks:walk { Header = function(el) numbers.top_level = math.min(numbers.top_level, el.level) end }
  doc.blocks = doc.blocks:walk(numbers.numbering)
  doc.blocks = doc.blocks:walk { Figure = finish.figure }
  doc = doc:walk(finish.walk)
  finish.check_links(doc)
  if finish.cited then
    local has_place = false
    doc.blocks:walk { Div = function(el) has_place = has_place or el.identifier == 'refs' end }
    if not has_place then
      doc.blocks:insert(pandoc.Header(is_html and 2 or 1, 'References', pandoc.Attr('quarto-bibliography')))
      doc.blocks:insert(pandoc.Div({}, pandoc.Attr('refs')))
    end
  end
  doc.meta.renderer = nil
  return doc
end
