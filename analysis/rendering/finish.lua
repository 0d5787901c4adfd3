-- References, links, pictures, tables and formulas, once everything has its number.

local common, numbers = ...
local escape = common.escape
local inlines_of = common.inlines_of
local is_html = common.is_html
local nbsp = common.nbsp
local plain = common.plain
local quoted = common.quoted
local raw = common.raw
local raw_inline = common.raw_inline
local refuse = common.refuse

local kind_of, targets = numbers.kind_of, numbers.targets
local finish = { cited = false, pages = {} }
local pictures = 0

local function reference(item)
  local label = item.id:sub(1, 1):lower() .. item.id:sub(2)
  local target = targets[label]
  if target == nil then
    refuse('@' .. item.id, 'the reference @' .. item.id .. ' has no target on this page.')
  end
  if target.unnumbered then
    refuse('@' .. item.id, 'a reference to a section needs `number-sections: true`.')
  end
  local text = target.text
  if item.mode == 'SuppressAuthor' then
    text = target.number
  elseif #item.prefix > 0 then
    text = plain(item.prefix) .. nbsp .. target.number
  end
  return pandoc.Link({ pandoc.Str(text) }, '#' .. label, '', pandoc.Attr('', { 'quarto-xref' }))
end

local function cite(el)
  local ours, out = 0, pandoc.Inlines {}
  for _, item in ipairs(el.citations) do
    if kind_of(item.id:lower()) then ours = ours + 1 end
  end
  if ours == 0 then
    -- Without a bibliography pandoc is spared its citation processor, a third of its time.
    if not finish.cites then
      refuse('@' .. el.citations[1].id, 'the citation key "' .. el.citations[1].id .. '" is in no bibliography.')
    end
    finish.cited = true
    return nil
  end
  if ours < #el.citations then
    refuse('@' .. el.citations[1].id, 'references and citations cannot share one pair of brackets.')
  end
  for i, item in ipairs(el.citations) do
    if i > 1 then out:extend { pandoc.Str ',', pandoc.Space() } end
    out:insert(reference(item))
    if #item.suffix > 0 then out:extend(item.suffix) end
  end
  return out
end

-- What a picture's first bytes say it is, and the ending that Typst knows it by.
local function kind_of_picture(content)
  if content:match '^\137PNG' then return 'image/png', 'png' end
  if content:match '^\255\216\255' then return 'image/jpeg', 'jpg' end
  if content:match '^GIF8' then return 'image/gif', 'gif' end
  if content:match '^RIFF....WEBP' then return 'image/webp', 'webp' end
  if content:sub(1, 4000):match '<svg[%s>]' then return 'image/svg+xml', 'svg' end
end

-- A picture's width as Typst writes it; a number alone is in pixels, of which an inch has 96.
local function paper_width(el)
  local number, unit = el.attributes.width:match '^(%d+%.?%d*)([a-z%%]*)$'
  if number and (unit == '' or unit == 'px') then return number * 0.75 .. 'pt' end
  for _, known in ipairs { '%', 'cm', 'mm', 'in', 'em', 'pt' } do
    if unit == known then return number .. unit end
  end
  refuse('width=\t' .. el.attributes.width, 'the width ' .. el.attributes.width ..
         ' is not honoured: a number with %, px, cm, mm, in, em or pt is.')
end

local function image(el)
  if kind_of(el.identifier) then
    refuse('#' .. el.identifier, 'a picture is counted where it has a caption and a paragraph of its own.')
  end
  local alt = el.attributes['fig-alt'] or el.attributes.alt or plain(el.caption)
  if alt:match '^%s*$' then refuse(el.src, 'the image ' .. el.src .. ' has no alternative text (fig-alt).') end
  if el.src:match '^%a[%w+.-]*:' then
    refuse(el.src, 'an image from outside is not honoured: a page needs no network.')
  end
  if el.src:match '^/' then refuse(el.src, 'an image is named from the page\'s folder, not from the root.') end
  local found, _, content = pcall(pandoc.mediabag.fetch, el.src)
  if not found then refuse(el.src, 'the image ' .. el.src .. ' does not exist.') end
  local mime, ending = kind_of_picture(content)
  if not mime then refuse(el.src, el.src .. ' is no picture: honoured are PNG, JPEG, GIF, WebP and SVG.') end
  local width = el.attributes.width and paper_width(el)
  if is_html then
    el.src = pandoc.mediabag.make_data_uri(mime, content)
    el.attributes['fig-alt'] = nil
    el.attributes.alt = alt
    el.caption = {}
    return el
  end
  pictures = pictures + 1
  local name = 'picture-' .. pictures .. '.' .. ending
  local file = assert(io.open(name, 'wb'))
  file:write(content)
  file:close()
  return raw_inline('#image(' .. quoted(name) .. ', alt: ' .. quoted(alt) ..
                    (width and ', width: ' .. width or '') .. ')')
end

-- The alternative text of a figure's picture is its own: a caption repeats nothing to who cannot see.
function finish.figure(el)
  return el:walk {
    Image = function(inner)
      if not (inner.attributes['fig-alt'] or inner.attributes.alt) then
        refuse(inner.src, 'the image ' .. inner.src .. ' has no alternative text (fig-alt).')
      end
    end,
  }
end

local function link(el)
  if el.target:match '^#' or el.target == '' then return nil end
  local scheme = el.target:match '^(%a[%w+.-]*):'
  if scheme then
    if scheme ~= 'https' and scheme ~= 'http' and scheme ~= 'mailto' then
      refuse(el.target, 'a link of the kind "' .. scheme .. ':" is not honoured.')
    end
    return nil
  end
  local page, rest = el.target:match '^([^#]+%.qmd)(.*)$'
  if page then
    page = page:gsub('^%./', '')
    if not finish.pages[page] then refuse(el.target, 'the link to ' .. page .. ' names no page of this site.') end
    el.target = page:gsub('%.qmd$', '.html') .. rest
  end
  -- A PDF is read apart from the pages and files beside it: the words stay, the link would lead nowhere.
  return is_html and el or el.content
end

-- How wide a table would be, in characters, with every cell broken into lines of some 16 characters. Words
-- break at underscores, slashes and hyphens too (page.typ).
local function breadth(el)
  local widths = {}
  local function see(rows)
    for _, row in ipairs(rows) do
      for i, cell in ipairs(row.cells) do
        local text = plain(cell.contents)
        local wanted = math.min(utf8.len(text) or #text, 16)
        for word in text:gmatch '[^%s_/-]+' do wanted = math.max(wanted, utf8.len(word) or #word) end
        widths[i] = math.max(widths[i] or 0, wanted)
      end
    end
  end
  see(el.head.rows)
  for _, body in ipairs(el.bodies) do see(body.body) end
  local sum = 0
  for _, width in ipairs(widths) do sum = sum + width + 2 end
  return sum
end

-- A date stays on one line. A cell of prose keeps a width at which it can be read; its table scrolls instead.
local function mark_long(rows)
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      local text = plain(cell.contents)
      if (utf8.len(text) or 0) > 28 then cell.classes:insert 'long' end
      if text:match '^[%w-]*%d%d%d%d%-%d%d%-%d%d$' then cell.classes:insert 'day' end
    end
  end
end

local function table_block(el)
  for i, spec in ipairs(el.colspecs) do el.colspecs[i] = { spec[1] == 'AlignDefault' and 'AlignLeft' or spec[1], nil } end
  for _, body in ipairs(el.bodies) do mark_long(body.body) end
  for _, row in ipairs(el.head.rows) do
    for _, cell in ipairs(row.cells) do
      if is_html then
        cell.attributes.scope = 'col'
      else
        cell.contents = cell.contents:walk {
          traverse = 'topdown',
          Plain = function(inner) return pandoc.Plain { pandoc.Strong(inner.content) }, false end,
          Para = function(inner) return pandoc.Para { pandoc.Strong(inner.content) }, false end,
        }
      end
    end
  end
  if is_html then
    local caption = inlines_of(el.caption)
    local name = #caption > 0 and plain(caption) or 'Table'
    if #caption > 0 then
      el.caption.long = { pandoc.Plain { pandoc.Span(caption, pandoc.Attr('', { 'caption-text' })) } }
    end
    return { raw('<div class="table-scroll" role="region" tabindex="0" aria-label="' .. escape(name) .. '">'),
             el, raw '</div>' }
  end
  local size = math.max(6.5, math.min(9.5, math.floor(2 * 9.5 * 100 / breadth(el)) / 2))
  local lines = #el.head.rows == 0 and '; #set table(stroke: headerless)' or ''
  return { raw('#block(width: 100%, breakable: true)[#set text(size: ' .. size .. 'pt)' .. lines), el, raw ']' }
end

-- PDF/UA wants words for a formula: its own TeX, which is how it is read out of a source.
local function formula(el)
  if is_html then return nil end
  local written = pandoc.write(pandoc.Pandoc { pandoc.Plain { el } }, 'typst'):gsub('%s+$', '')
  local words_for_it = el.text:gsub('%s+', ' '):gsub('^ ', ''):gsub(' $', '')
  return raw_inline('#[#set math.equation(alt: ' .. quoted(words_for_it) .. ');' .. written .. ']')
end

-- Paper has no other way to hold a long word: in runs of more than `limit` characters a line may break behind
-- a mark, and anywhere behind twenty others.
local function breakable(limit)
  return function(el)
    if is_html or #el.text <= limit then return nil end
    el.text = el.text:gsub('[^%s]+', function(run)
      if (utf8.len(run) or 0) <= limit then return nil end
      local out, since = {}, 0
      for _, code in utf8.codes(run) do
        local character = utf8.char(code)
        since = since + 1
        table.insert(out, character)
        if since >= 20 or character:match '[/_.&?=-]' then
          table.insert(out, '\u{200b}')
          since = 0
        end
      end
      return table.concat(out)
    end)
    return el
  end
end

finish.walk = {
  CodeBlock = breakable(80),
  Code = breakable(30),
  Str = breakable(30),
  Cite = cite,
  Math = formula,
  Image = image,
  Link = link,
  Table = table_block,
}

-- Labels that a link inside the page may go to.
function finish.check_links(doc, ids)
  doc.blocks:walk {
    Link = function(el)
      local id = el.target:match '^#(.+)$'
      if id and not ids[id] and not targets[id] then refuse(el.target, 'the link to ' .. el.target .. ' has no target.') end
    end,
  }
end

return finish
