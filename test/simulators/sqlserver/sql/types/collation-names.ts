/** Names of collations: a language, perhaps a version, and what counts in comparisons. */

/** Languages by the code page that their char and varchar have. */
const LANGUAGES: readonly (readonly [codePage: number, names: string])[] = [
  [874, 'Thai'],
  [932, 'Japanese Japanese_Unicode Japanese_Bushu_Kakusu Japanese_XJIS'],
  [936, 'Chinese_PRC Chinese_PRC_Stroke Chinese_Simplified_Pinyin Chinese_Simplified_Stroke_Order'],
  [949, 'Korean Korean_Wansung'],
  [
    950,
    'Chinese_Taiwan_Stroke Chinese_Taiwan_Bopomofo Chinese_Traditional_Stroke_Count Chinese_Traditional_Bopomofo',
  ],
  [
    1250,
    'Albanian Croatian Czech Hungarian Hungarian_Technical Polish Romanian Slovak Slovenian SQL_Latin1_General_CP1250',
  ],
  [1251, 'Cyrillic_General Ukrainian Macedonian_FYROM Kazakh SQL_Latin1_General_CP1251'],
  [
    1252,
    'Latin1_General Modern_Spanish Traditional_Spanish Finnish_Swedish French German_PhoneBook Danish_Norwegian Danish_Greenlandic Icelandic Norwegian SQL_Latin1_General_CP1',
  ],
  [1253, 'Greek SQL_Latin1_General_CP1253'],
  [1254, 'Turkish SQL_Latin1_General_CP1254'],
  [1255, 'Hebrew SQL_Latin1_General_CP1255'],
  [1256, 'Arabic SQL_Latin1_General_CP1256'],
  [1257, 'Estonian Latvian Lithuanian SQL_Latin1_General_CP1257'],
  [1258, 'Vietnamese'],
];
const CODE_PAGES = new Map(
  LANGUAGES.flatMap(([codePage, names]) =>
    names.split(' ').map((name) => [name.toLowerCase(), codePage] as const),
  ),
);
export const UTF8_CODE_PAGE = 65_001;
const NAME = /^(\w+?)(?:_(90|100|140))?_(?:(BIN2?)|(CI|CS)_(AI|AS)(_KS)?(_WS)?(_SC)?(_VSS)?)(_UTF8)?$/i;

export type CollationName = {
  readonly language: string;
  /** 80, 90, 100 or 140. */
  readonly version: number;
  readonly codePage: number;
  readonly binary: boolean;
  readonly caseSensitive: boolean;
  readonly accentSensitive: boolean;
  readonly kanaSensitive: boolean;
  readonly widthSensitive: boolean;
  /** Collations of SQL Server itself, older than those of Windows. */
  readonly old: boolean;
};

const FIRST_VERSION = 80;

/** `undefined` for what is no collation. */
export function parseCollationName(name: string): CollationName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, language = '', version, binary, cases, accents, kana, width, supplementary, selectors, utf8] =
    match;
  const codePage = CODE_PAGES.get(language.toLowerCase());
  if (codePage === undefined) return undefined;
  const number = version === undefined ? FIRST_VERSION : Number(version);
  const japanese = /^japanese_/i.test(language);
  const wrong =
    (number === 140 && !japanese) ||
    (selectors !== undefined && number !== 140) ||
    (supplementary !== undefined && number === FIRST_VERSION) ||
    (utf8 !== undefined &&
      (number === FIRST_VERSION || (binary === undefined && supplementary === undefined && number !== 140)));
  if (wrong) return undefined;
  return {
    language,
    version: number,
    codePage: utf8 === undefined ? codePage : UTF8_CODE_PAGE,
    binary: binary !== undefined,
    caseSensitive: binary !== undefined || cases?.toUpperCase() === 'CS',
    accentSensitive: binary !== undefined || accents?.toUpperCase() === 'AS',
    kanaSensitive: binary !== undefined || kana !== undefined,
    widthSensitive: binary !== undefined || width !== undefined,
    old: /^sql_/i.test(language),
  };
}
